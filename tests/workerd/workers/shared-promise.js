// Single flight as one writes it for Node: callers share the promise of the exchange. The control case.

let flight;

async function getToken(env) {
  flight ??= fetch(`${env.BASE_URL}/v1/auth`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${env.API_KEY}:${env.API_SECRET}`)}`, "X-Environment": "Production" },
  })
    .then((response) => response.json())
    .then(({ data }) => data);
  return flight;
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const token = getToken(env);
    token.catch(() => {});
    if (pathname === "/early") {
      await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get("after"))));
      return Response.json({ early: true });
    }
    try {
      return Response.json(await token);
    } catch (error) {
      return Response.json({ error: { name: error.name, message: error.message } });
    }
  },
};
