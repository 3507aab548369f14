import { meetAll } from "../caller.mjs";
import { env } from "cloudflare:workers";
import * as api from "digitalpaye-auth";

// What nobody handles is in workerd's log.
export default {
  fetch: async () => Response.json({ ...await meetAll(api, env.CONTROL), unhandled: [] }),
};
