// Node, Deno, Bun: the package's address and the server's come as arguments.
import { observe } from "../observe.mjs";

const [address, baseUrl, only] = process.argv.slice(2);
const report = await observe(await import(address), baseUrl, only);
await fetch(`${baseUrl}/report`, { method: "POST", body: JSON.stringify(report) });
process.exit(0);
