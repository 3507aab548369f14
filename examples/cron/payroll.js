import { readFile } from "node:fs/promises";
import { AuthError, DigitalpayeAuth } from "digitalpaye-auth";

// An example: Digitalpaye's documentation has the path, the headers and the body of a payment.
const PAYMENTS = "v1/payments";

const month = new Date().toISOString().slice(0, 7);
const salaries = JSON.parse(await readFile(new URL("salaries.json", import.meta.url), "utf8"));
const total = salaries.reduce((sum, { amount }) => sum + amount, 0);

// The salary that is being paid is seen through; the next one is not begun.
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => { stopped = true; });

async function balance(auth) {
  const reply = await auth.fetch("v1/balance", { signal: AbortSignal.timeout(20_000) });
  if (!reply.ok) throw new Error(`the balance: status ${reply.status}`);
  return (await reply.json()).data.balance;
}

async function pay(auth, { id, recipient, amount }) {
  const reply = await auth.fetch(PAYMENTS, {
    method: "POST",
    // One key a month and person: a script that runs again pays nobody twice.
    headers: { "Content-Type": "application/json", "Idempotency-Key": `salary-${month}-${id}` },
    body: JSON.stringify({ recipient, amount, currency: "XOF" }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!reply.ok) throw new Error(`${id}: status ${reply.status}`);
  console.log(`${id}: ${amount} XOF paid`);
}

async function main() {
  // Key and secret come from the environment. One token serves all payments.
  const auth = DigitalpayeAuth.fromEnv({ onEvent: ({ type, error }) => console.log("digitalpaye:", type, error?.code ?? "") });
  const available = await balance(auth);
  console.log(`${month}: ${salaries.length} salaries, ${total} XOF of ${available} XOF`);
  if (available < total) throw new Error("there is not enough money");
  if (!process.argv.includes("--pay")) return console.log("A rehearsal: --pay pays.");
  for (const salary of salaries) {
    if (stopped) throw new Error(`stopped before ${salary.id}`);
    await pay(auth, salary);
  }
}

try {
  await main();
} catch (error) {
  // The next run may go better if the error is retryable; if the configuration is wrong (2), somebody has to look.
  console.error(AuthError.is(error) ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = error.code === "invalid_options" ? 2 : 1;
}
