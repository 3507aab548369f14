// By hand, with the deadline that a call over a network needs.
import { client as plain } from "./fetch.mjs";

export const client = (url) => plain(url, () => AbortSignal.timeout(30_000));
