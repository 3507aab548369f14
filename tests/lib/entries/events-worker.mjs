import * as api from "digitalpaye-auth";
import { tellMoments } from "../events-moments.mjs";
import { tellAll } from "../events-program.mjs";
import { tellSecrets } from "../secret-program.mjs";

export default {
  async fetch() {
    const unhandled = [];
    addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
    return Response.json({ ...await tellAll(api), moments: await tellMoments(api), secrets: await tellSecrets(api), unhandled });
  },
};
