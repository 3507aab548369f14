// The rules of leases: at any moment one holder per key, and each store object is one.

import { check, same, token } from "./testing-tools.js";

const needsAcquire = (store) => (store.acquire === undefined ? "the store has no leases" : undefined);
const needsRelease = (store) =>
  needsAcquire(store) ?? (store.release === undefined ? "the store has no release()" : undefined);

/** Longer than any case takes. */
const LONG = 60;

export function leaseRules(rule) {
  rule("one of many who ask at once gets it", async ({ key, more }) => {
    const stores = await more(8);
    const answers = await Promise.all(stores.map((store) => store.acquire(key, LONG)));
    for (const answer of answers) check(typeof answer === "boolean", `acquire() answers ${String(answer)}, not true or false`);
    same(answers.filter((answer) => answer).length, 1, "the number of store objects that acquire() answers true");
    await stores[answers.indexOf(true)].release?.(key);
  }, needsAcquire);

  rule("its holder renews it: true again, and it ends later", async ({ store, key, more, shortest, pastShortest }) => {
    const [other] = await more(1);
    same(await store.acquire(key, shortest), true, "acquire() of a free key");
    same(await store.acquire(key, LONG), true, "acquire() by the holder");
    same(await other.acquire(key, LONG), false, "acquire() by another after the holder's second");
    await pastShortest();
    same(await other.acquire(key, LONG), false, "acquire() by another past the end of the lease before its renewal");
  }, needsAcquire);

  rule("it ends by itself, and another gets it", async ({ store, key, more, shortest, pastShortest, inTime }) => {
    const [other] = await more(1);
    await inTime(async () => {
      same(await store.acquire(key, shortest), true, "acquire() of a free key");
      same(await other.acquire(key, shortest), false, "acquire() of a key that another holds");
    });
    await pastShortest();
    same(await other.acquire(key, LONG), true, `acquire() ${shortest} s after a lease of ${shortest} s was given to another`);
    await other.release?.(key);
  }, needsAcquire);

  rule("a holder that lost it is refused", async ({ store, key, more, shortest, pastShortest }) => {
    const [other] = await more(1);
    same(await store.acquire(key, shortest), true, "acquire() of a free key");
    await pastShortest();
    same(await other.acquire(key, LONG), true, "acquire() of a key whose lease has ended");
    same(await store.acquire(key, LONG), false, "acquire() by the holder before");
    await other.release?.(key);
  }, needsAcquire);

  rule("a holder that lost it does not release the next one's", async ({ store, key, more, shortest, pastShortest }) => {
    const [next, third] = await more(2);
    same(await store.acquire(key, shortest), true, "acquire() of a free key");
    await pastShortest();
    same(await next.acquire(key, LONG), true, "acquire() of a key whose lease has ended");
    await store.release(key);
    same(await third.acquire(key, LONG), false, "acquire() after release() by a holder that lost the lease");
    await next.release(key);
  }, needsRelease);

  rule("released, it goes to the next one", async ({ store, key, more }) => {
    const [other] = await more(1);
    same(await store.acquire(key, LONG), true, "acquire() of a free key");
    await store.release(key);
    same(await other.acquire(key, LONG), true, "acquire() after release() by the holder");
    same(await store.acquire(key, LONG), false, "acquire() of a key that another holds");
    await other.release(key);
  }, needsRelease);

  rule("who does not hold it cannot release it", async ({ store, key, more }) => {
    const [other, third] = await more(2);
    same(await store.acquire(key, LONG), true, "acquire() of a free key");
    await other.release(key);
    same(await other.acquire(key, LONG), false, "acquire() of a key that another holds");
    await other.release(key);
    same(await third.acquire(key, LONG), false, "acquire() after release() by others than the holder");
  }, needsRelease);

  rule("releasing what is free does nothing", async ({ store, key }) => {
    await store.release(key);
    same(await store.acquire(key, LONG), true, "acquire() after release() of a free key");
    await store.release(key);
    await store.release(key);
    same(await store.acquire(key, LONG), true, "acquire() after two release()");
  }, needsRelease);

  rule("it is of its key alone", async ({ store, key, more }) => {
    const [other] = await more(1);
    const beside = `${key}0`;
    same(await store.acquire(key, LONG), true, "acquire() of a free key");
    same(await other.acquire(beside, LONG), true, "acquire() of another key");
    await other.release?.(beside);
    same(await other.acquire(key, LONG), false, "acquire() of a key that another holds");
  }, needsAcquire);

  rule("it and the entry leave each other alone", async ({ store, key, more }) => {
    const [other] = await more(1);
    const written = token();
    same(await store.acquire(key, LONG), true, "acquire() of a free key");
    const missing = await store.get(key);
    check(missing === null || missing === undefined, "after acquire(): get() does not answer null or undefined");
    await store.set(key, written, 600);
    same(await other.acquire(key, LONG), false, "acquire() by another after set()");
    await store.delete?.(key, written.token);
    same(await other.acquire(key, LONG), false, "acquire() by another after delete()");
    await store.set(key, written, 600);
    await store.release?.(key);
    same((await other.get(key))?.token, written.token, "after release(): the token of get()");
    // A token is renewed while it is there.
    same(await store.acquire(key, LONG), true, "acquire() of a free key that has an entry");
    same((await other.get(key))?.token, written.token, "after acquire(): the token of get()");
    await store.release?.(key);
  }, needsAcquire);

  // Here and not beside `delete`: a store that cannot write on condition has no leases either, and says so by that.
  rule("delete() of an old token is atomic: a newer one that is written at that moment stays", async ({ store, key, more }) => {
    const [other] = await more(1);
    for (let round = 0; round < 20; round += 1) {
      const [old, newer] = [token(), token()];
      await store.set(key, old, 600);
      // In both orders: either way the newer one is what is left.
      const calls = [() => other.delete(key, old.token), () => store.set(key, newer, 600)];
      if (round % 2 === 1) calls.reverse();
      await Promise.all(calls.map((call) => call()));
      const got = await store.get(key);
      same(got?.token, newer.token, "after delete() of the old token beside set() of a newer one: the token of get()");
    }
  }, (store) => needsAcquire(store) ?? (store.delete === undefined ? "the store has no delete()" : undefined));
}
