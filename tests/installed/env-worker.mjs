// A worker whose clients are configured by its bindings: at module scope, and in a request.
import { DigitalpayeAuth } from "digitalpaye-auth";

async function outcome(make) {
  try {
    return { token: (await make().getToken()).token };
  } catch ({ name, option, message }) {
    return { name, option, message };
  }
}

let atStart;
try {
  const client = DigitalpayeAuth.fromEnv();
  atStart = () => client;
} catch (error) {
  atStart = () => {
    throw error;
  };
}

export default {
  async fetch() {
    return Response.json({ start: await outcome(atStart), request: await outcome(() => DigitalpayeAuth.fromEnv()) });
  },
};
