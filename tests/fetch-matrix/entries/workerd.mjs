import * as api from "digitalpaye-auth";
import { observe } from "../observe.mjs";

export default {
  async fetch(request, { BASE_URL: baseUrl }) {
    return Response.json(await observe(api, baseUrl));
  },
};
