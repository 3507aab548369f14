// What an old engine runs: two requests with one token, or the error in words.
const env = globalThis.Deno ? { BASE_URL: globalThis.Deno.env.get("BASE_URL") } : process.env;
try {
  const { DigitalpayeAuth } = await import("digitalpaye-auth");
  const auth = new DigitalpayeAuth({ apiKey: "sandbox_key", apiSecret: "sandbox_secret", baseUrl: env.BASE_URL });
  const statuses = [await auth.fetch("v1/balance"), await auth.fetch("v1/balance")].map(({ status }) => status);
  console.log(`works: ${statuses.join(" and ")}`);
} catch (error) {
  console.log(`${error.name}: ${error.message}`);
}
