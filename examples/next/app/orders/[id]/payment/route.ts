import { AuthError } from "digitalpaye-auth";
import { auth } from "../../../../lib/digitalpaye";

// An example: Digitalpaye's documentation has the path, the headers and the body of a payment.
const PAYMENTS = "v1/payments";

// From your database.
const orders = new Map([["A-1001", { amount: 5_000, currency: "XOF" }]]);

export async function POST(_request: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const { id } = await params;
  if (!orders.has(id)) return Response.json({ error: "unknown_order" }, { status: 404 });
  try {
    const reply = await auth().fetch(PAYMENTS, {
      method: "POST",
      // One key for one order, however often this is called: nobody pays twice.
      headers: { "Content-Type": "application/json", "Idempotency-Key": `order-${id}` },
      body: JSON.stringify(orders.get(id)),
      signal: AbortSignal.timeout(10_000),
    });
    if (!reply.ok) return Response.json({ error: "payment_refused", status: reply.status }, { status: 502 });
    return Response.json(await reply.json(), { status: 201 });
  } catch (error) {
    return failure(error as Error);
  }
}

function failure(error: Error): Response {
  console.error(`digitalpaye: ${error.name}: ${error.message}`);
  // No answer: the payment may have been made. The order can be sent again, because its key stays the same.
  if (!AuthError.is(error)) return Response.json({ error: "no_answer" }, { status: 504 });
  // There was no token, so nothing was paid.
  const headers = error.retryAfter ? { "Retry-After": String(error.retryAfter) } : undefined;
  return Response.json({ error: error.code }, { status: error.retryable ? 503 : 500, headers });
}
