// A newcomer's path, timed: from `npm install` with nothing in npm's cache to the first token from the emulator.
import { temporaryFolder } from "../../scripts/lib/temporary.mjs";
import { clean, commandsOf, install } from "./project.mjs";
import { launch } from "./program.mjs";

/** `{ install, token }`: how many milliseconds `npm install` took, and from `npm run dev` to the token. */
export async function timed(name, { ready, devArgs = [], env = {} } = {}) {
  const project = await install(name, { cache: temporaryFolder("digitalpaye-example-cache"), env });
  const over = [];
  const begun = performance.now();
  const words = ["npm", "run", "dev", ...(devArgs.length > 0 ? ["--", ...devArgs] : [])];
  const program = launch({ after: (end) => over.push(end) }, words, { cwd: project.folder, env: clean(env) });
  try {
    if (ready) {
      const [, url] = await program.saw(ready);
      const { pathname } = new URL(commandsOf(name, "ask")[0].split(" ").at(-1));
      const reply = await fetch(url + pathname);
      if (reply.status !== 200) throw new Error(`${name}: status ${reply.status}\n${program.output()}`);
    }
    await program.saw(/digitalpaye: token/);
    const token = performance.now() - begun;
    program.interrupt();
    await program.ended;
    return { install: project.ms, token };
  } finally {
    for (const end of over) end();
  }
}
