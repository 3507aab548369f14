// What a client says that is made in a request.

import { DigitalpayeAuth } from "digitalpaye-auth";

const of = (make) => {
  try {
    make();
    return { made: true };
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
};

export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    return Response.json(of(() => (pathname === "/env" ? DigitalpayeAuth.fromEnv() : new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret" }))));
  },
};
