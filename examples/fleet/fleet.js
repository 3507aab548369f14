import cluster from "node:cluster";
import { createServer } from "node:http";
import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { createClient } from "redis";

// An example: Digitalpaye's documentation has the path, the headers and the body of a payment.
const PAYMENTS = "v1/payments";
// From your database.
const orders = new Map([["A-1001", { amount: 5_000, currency: "XOF" }]]);
const json = { "Content-Type": "application/json" };

// Ctrl-C reaches the workers too; they wait for the word of the primary.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => cluster.isPrimary && cluster.disconnect());

if (cluster.isPrimary) {
  for (let count = 0; count < Number(process.env.WORKERS ?? 4); count++) cluster.fork();
  cluster.on("exit", (worker, code) => { process.exitCode ||= code ?? 1; });
} else await serve();

async function serve() {
  const redis = createClient({ url: process.env.REDIS_URL });
  // Without a listener, Node ends the process when the connection is lost.
  redis.on("error", (error) => console.error(`${process.pid} redis: ${error.message}`));

  // One for each process; the store makes one token of all. Key and secret come from the environment.
  const auth = DigitalpayeAuth.fromEnv({
    store: redisStore(redis),
    timeout: 10_000,
    onEvent: ({ type, source, error }) => console.log(`${process.pid} digitalpaye: ${type} ${source ?? error?.code ?? ""}`),
  });
  const server = createServer(async (request, response) => {
    const [status, body, headers] = await answer(auth, request);
    response.writeHead(status, { ...json, ...headers }).end(JSON.stringify({ pid: process.pid, ...body }));
  });
  // The requests under way are answered first.
  process.once("disconnect", () => server.close(() => { auth[Symbol.dispose](); redis.destroy(); }));
  await redis.connect();
  server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
}

async function answer(auth, { method, url }) {
  const id = /^\/orders\/([\w-]+)\/payment$/.exec(url)?.[1];
  // One key for one order, whichever process gets it and however often: nobody pays twice.
  const payment = { method, headers: { ...json, "Idempotency-Key": `order-${id}` }, body: JSON.stringify(orders.get(id)) };
  try {
    if (method === "GET" && url === "/balance") return await ask(auth, "v1/balance");
    return method === "POST" && orders.has(id) ? await ask(auth, PAYMENTS, payment) : [404, { error: "not_found" }];
  } catch (error) {
    console.error(`${process.pid} ${error.code ?? error.name}: ${error.message}`);
    // Without a token nothing was paid. Without an answer (504) it may have been; the order can be sent again.
    if (!AuthError.is(error)) return [504, { error: "no_answer" }];
    return [error.retryable ? 503 : 500, { error: error.code }, error.retryAfter && { "Retry-After": error.retryAfter }];
  }
}

async function ask(auth, path, init) {
  const reply = await auth.fetch(path, { ...init, signal: AbortSignal.timeout(10_000) });
  return reply.ok ? [reply.status, await reply.json()] : [502, { error: "refused", status: reply.status }];
}
