import * as api from "digitalpaye-auth";
import { tellAll } from "../events-program.mjs";

export default {
  async fetch() {
    const unhandled = [];
    addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
    return Response.json({ ...await tellAll(api), unhandled });
  },
};
