// A worker whose first request makes the peer's client and one exchange.
import { client } from "./peers/PEER.mjs";

let made;

export default {
  async fetch(request, { BASE_URL: url }) {
    made ??= client(url);
    const { token } = await made.exchange();
    return new Response(token);
  },
};
