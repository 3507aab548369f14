// Where things are. Everything the commands generate is under `target/`, `node_modules/` or the ignored parts of
// `pkg/` and `www/`, so a clone stays clean.
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
export const tools = join(target, "tools");
export const pkg = join(root, "pkg");
export const www = join(root, "www");
export const tests = join(root, "tests");
