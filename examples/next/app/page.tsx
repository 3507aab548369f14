import { AuthError } from "digitalpaye-auth";
import { connection } from "next/server";
import { auth } from "../lib/digitalpaye";

type Balance = { data: { balance: number; currency: string } };

async function balance(): Promise<string> {
  try {
    const reply = await auth().fetch("v1/balance", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!reply.ok) return `unknown (status ${reply.status})`;
    const { data } = await reply.json() as Balance;
    return `${data.balance} ${data.currency}`;
  } catch (error) {
    if (!AuthError.is(error)) throw error;
    console.error(`digitalpaye: ${error.code}: ${error.message}`);
    return `unknown (${error.code})`;
  }
}

export default async function Page() {
  // For each request anew, never while the application is built.
  await connection();
  return <p>Balance: {await balance()}</p>;
}
