import { env } from "cloudflare:workers";
import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";
import { durableObjectStore, TokenObject } from "digitalpaye-auth/stores/durable-object";
import { Hono } from "hono";

export { TokenObject };

// An example: Digitalpaye's documentation has the path, the headers and the body of a payment.
const PAYMENTS = "v1/payments";

// From your database.
const orders = new Map([["A-1001", { amount: 5_000, currency: "XOF" }]]);

// One for the isolate; the object makes one token of all isolates. Key and secret are secrets of the Worker.
const auth = DigitalpayeAuth.fromEnv({
  store: durableObjectStore(env.TOKENS),
  timeout: 10_000,
  onEvent: ({ type, source, error }) => console.log("digitalpaye:", type, source ?? error?.code ?? ""),
});

const app = new Hono();

app.get("/balance", async (c) => {
  const reply = await auth.fetch("v1/balance", { signal: AbortSignal.timeout(10_000) });
  return c.json(await reply.json(), reply.ok ? 200 : 502);
});

app.post("/orders/:id/payment", async (c) => {
  const { id } = c.req.param();
  if (!orders.has(id)) return c.json({ error: "unknown_order" }, 404);
  const reply = await auth.fetch(PAYMENTS, {
    method: "POST",
    // One key for one order, however often this is called: nobody pays twice.
    headers: { "Content-Type": "application/json", "Idempotency-Key": `order-${id}` },
    body: JSON.stringify(orders.get(id)),
    signal: AbortSignal.timeout(10_000),
  });
  if (!reply.ok) return c.json({ error: "payment_refused", status: reply.status }, 502);
  return c.json(await reply.json(), 201);
});

app.onError((error, c) => {
  console.error(`digitalpaye: ${error.code ?? error.name}: ${error.message}`);
  // No answer: the payment may have been made. The order can be sent again, because its key stays the same.
  if (!AuthError.is(error)) return c.json({ error: "no_answer" }, 504);
  // There was no token, so nothing was paid.
  if (error.retryAfter) c.header("Retry-After", String(error.retryAfter));
  return c.json({ error: error.code }, error.retryable ? 503 : 500);
});

export default app;
