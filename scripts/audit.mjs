// `npm run check audit`: whether anything is known against the crates and the npm packages in the lock files. Asks the RustSec
// database and the npm registry, so it is no part of `npm test`.
import { runners } from "./lib/runners.mjs";
import { command } from "./lib/process.mjs";
import { setup } from "./setup.mjs";

await command(async () => {
  await setup({ needs: ["cargo-deny"] });
  const { failed } = await runners().checks(
    ["cargo", "deny", "--locked", "--workspace", "check"],
    ...[".", "tests/bench", "tests/conformance/engines"].map((folder) => ["npm", "audit", "--prefix", folder]),
  );
  return failed === 0 ? 0 : 1;
});
