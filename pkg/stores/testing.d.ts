/**
 * The rules of a store, as tests for a store of your own.
 *
 * @module digitalpaye-auth/stores/testing
 */
import type { TokenStore } from "../index.js";

/** What {@link testStore} uses of a test runner: node:test, Vitest, Jest and Bun have it. */
export interface TestRunner {
  describe: (name: string, body: () => void) => unknown;
  test: (name: string, body: (...context: unknown[]) => Promise<void>) => unknown;
}

/** Options of {@link testStore}. */
export interface TestStoreOptions {
  /**
   * The shortest life that the store can give an entry and a lease, in seconds. Some cases wait until such a life has
   * ended; give the runner that much time.
   *
   * @default 1
   */
  shortestTtlSeconds?: number | undefined;
}

/**
 * Registers the rules of a token store as tests: lives that are never lengthened, deletion of one token, one holder per
 * lease.
 *
 * `makeStore` is called in the tests, up to eight times in one. Each time it gives one more store object over the same
 * backing, as another process would have it. Keys are new in every run. The cases about leases, and the one that `delete`
 * of a token is atomic, are for stores with `acquire`; without it they do nothing, and are reported as skipped where the
 * runner can do so. A failure is an Error that says which rule was broken.
 *
 * @throws {TypeError} when an argument is not what it must be.
 *
 * @example
 * ```js
 * import { describe, test } from "node:test";
 * import { testStore } from "digitalpaye-auth/stores/testing";
 * import { myStore } from "my-store";
 *
 * testStore(() => myStore(process.env.DATABASE_URL), { describe, test });
 * ```
 * @see [Stores](../docs/stores.md#a-store-of-your-own)
 */
export function testStore(makeStore: () => TokenStore | Promise<TokenStore>, runner: TestRunner, options?: TestStoreOptions): void;
