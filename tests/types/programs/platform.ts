// Where the platform declares fetch, URL and AbortSignal, ours are the same.
import { DigitalpayeAuth, authenticate } from "digitalpaye-auth";
import type { CallOptions } from "digitalpaye-auth";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function check<T extends true>(): T;

const auth = new DigitalpayeAuth({
  apiKey: "key", apiSecret: "secret", baseUrl: new URL("https://h/"), fetch: (...args) => globalThis.fetch(...args),
});
export const response: Promise<Response> = auth.fetch("/v1/collections", { method: "POST", body: "{}" });
export const again: Promise<Response> = auth.fetch(new Request("https://h/v1"), { headers: { accept: "text/plain" } });
export const same: typeof globalThis.fetch extends (...args: infer A) => infer R
  ? (...args: A) => R
  : never = (...args) => auth.fetch(...args);
check<Equal<ReturnType<typeof auth.fetch>, ReturnType<typeof globalThis.fetch>>>();
check<Equal<Parameters<typeof auth.fetch>, Parameters<typeof globalThis.fetch>>>();
check<Equal<CallOptions["signal"], AbortSignal | undefined>>();
auth.getToken({ signal: AbortSignal.timeout(1) });
auth.getToken({ signal: new AbortController().signal, forceRefresh: true });
authenticate({ apiKey: "key", apiSecret: "secret", fetch: globalThis.fetch });
authenticate({ apiKey: "key", apiSecret: "secret", fetch: (input, init) => globalThis.fetch(input, init) });
authenticate({ apiKey: "key", apiSecret: async ({ signal }) => (await globalThis.fetch("https://h/", { signal })).text() });
export const handed: (...args: Parameters<typeof globalThis.fetch>) => Promise<Response> = auth.fetch;
// @ts-expect-error: fetch takes no number
auth.fetch(1);
// @ts-expect-error: no function
authenticate({ apiKey: "key", apiSecret: "secret", fetch: "fetch" });
// @ts-expect-error: not a signal
auth.getToken({ signal: {} });
// @ts-expect-error: nor that
auth.getToken({ signal: { aborted: false } });
