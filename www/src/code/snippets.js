// The same thing in every place where it is done. `c` are the comments, in the reader's language.

/** In a program that runs in Node. */
const node = (c) => `import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";

// ${c.one}
const auth = new DigitalpayeAuth({
  apiKey: process.env.DIGITALPAYE_API_KEY,
  apiSecret: process.env.DIGITALPAYE_API_SECRET,
  environment: process.env.DIGITALPAYE_ENVIRONMENT ?? "Production",
  baseUrl: process.env.DIGITALPAYE_BASE_URL,
});

try {
  // ${c.valid}
  const { token, exp } = await auth.getToken();
  console.log(\`\${token.length} characters, until \${new Date(exp * 1000).toISOString()}\`);

  // ${c.fetch}
  const response = await auth.fetch("v1/balance");
  console.log(response.status, await response.json());
} catch (error) {
  // ${c.errors}
  if (!AuthError.is(error)) throw error;
  console.error(error.code, error.reason ?? error.message);
  process.exitCode = 1;
}
`;

/** In a worker at the edge. */
const worker = (c) => `import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";

// ${c.isolate}
let auth;

export default {
  async fetch(request, env) {
    auth ??= new DigitalpayeAuth({
      apiKey: env.DIGITALPAYE_API_KEY,
      apiSecret: env.DIGITALPAYE_API_SECRET,
      environment: env.DIGITALPAYE_ENVIRONMENT ?? "Production",
      baseUrl: env.DIGITALPAYE_BASE_URL,
    });
    try {
      // ${c.who}
      const response = await auth.fetch("v1/balance", { signal: request.signal });
      return Response.json(await response.json(), { status: response.status });
    } catch (error) {
      if (!AuthError.is(error)) throw error;
      return Response.json({ error: error.code }, { status: error.retryable ? 503 : 500 });
    }
  },
};
`;

/** A page, and the server that it asks. */
const page = (c) => `<!-- index.html -->
<output id="balance"></output>
<script type="module">
  // ${c.noSecret}
  const response = await fetch("/api/balance");
  const { data } = await response.json();
  document.querySelector("#balance").textContent = JSON.stringify(data);
</script>
`;

const server = (c) => `import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { DigitalpayeAuth } from "digitalpaye-auth";

// ${c.stays}
const auth = new DigitalpayeAuth({
  apiKey: process.env.DIGITALPAYE_API_KEY,
  apiSecret: process.env.DIGITALPAYE_API_SECRET,
  environment: process.env.DIGITALPAYE_ENVIRONMENT ?? "Production",
  baseUrl: process.env.DIGITALPAYE_BASE_URL,
});

const server = createServer(async (request, response) => {
  if (request.url === "/") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    return response.end(await readFile(new URL("index.html", import.meta.url)));
  }
  if (request.url !== "/api/balance") return response.writeHead(404).end();
  try {
    // ${c.who}
    const reply = await auth.fetch("v1/balance");
    response.writeHead(reply.status, { "Content-Type": "application/json" }).end(await reply.text());
  } catch (error) {
    response.writeHead(502, { "Content-Type": "application/json" }).end(JSON.stringify({ error: error.code }));
  }
});

server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(\`http://127.0.0.1:\${server.address().port}/\`));
`;

/** Each place with its files, in the order in which they are read. */
export const places = [
  { id: "node", commands: ["npm install digitalpaye-auth", "node --env-file=.env token.mjs"], files: [{ name: "token.mjs", source: node }] },
  { id: "worker", commands: ["npm install digitalpaye-auth", "npx wrangler secret put DIGITALPAYE_API_SECRET"], files: [{ name: "worker.mjs", source: worker }] },
  { id: "page", commands: ["npm install digitalpaye-auth", "node --env-file=.env server.mjs"], files: [{ name: "index.html", source: page }, { name: "server.mjs", source: server }] },
];
