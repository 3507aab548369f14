import express from "express";
import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";

// An example: Digitalpaye's documentation has the path, the headers and the body of a payment.
const PAYMENTS = "v1/payments";

// From your database.
const orders = new Map([["A-1001", { amount: 5_000, currency: "XOF" }]]);

// One for the process: all requests share its token. Key and secret come from the environment.
const auth = DigitalpayeAuth.fromEnv({
  timeout: 10_000,
  onEvent: (event) => console.log("digitalpaye:", event.type, event.error?.code ?? ""),
});

const app = express();

app.get("/balance", async (request, response) => {
  const reply = await auth.fetch("v1/balance", { signal: AbortSignal.timeout(10_000) });
  response.status(reply.ok ? 200 : 502).json(await reply.json());
});

app.post("/orders/:id/payment", async (request, response) => {
  const { id } = request.params;
  if (!orders.has(id)) return response.status(404).json({ error: "unknown_order" });
  const reply = await auth.fetch(PAYMENTS, {
    method: "POST",
    // One key for one order, however often this is called: nobody pays twice.
    headers: { "Content-Type": "application/json", "Idempotency-Key": `order-${id}` },
    body: JSON.stringify(orders.get(id)),
    signal: AbortSignal.timeout(10_000),
  });
  if (!reply.ok) return response.status(502).json({ error: "payment_refused", status: reply.status });
  response.status(201).json(await reply.json());
});

app.use((error, request, response, next) => {
  if (AuthError.is(error)) {
    // There was no token, so nothing was paid.
    console.error(`digitalpaye: ${error.code}: ${error.message}`);
    if (error.retryAfter) response.set("Retry-After", String(error.retryAfter));
    return response.status(error.retryable ? 503 : 500).json({ error: error.code });
  }
  // Express's own, such as a malformed address.
  if (error.status) return next(error);
  // No answer: the payment may have been made. The order can be sent again, because its key stays the same.
  console.error(error);
  response.status(504).json({ error: "no_answer" });
});

const server = app.listen(process.env.PORT ?? 3000, process.env.HOST ?? "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`http://127.0.0.1:${server.address().port}`);
});

// The requests under way are answered first.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.close(() => auth[Symbol.dispose]()));
