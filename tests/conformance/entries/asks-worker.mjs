// Runs the suite in a dedicated worker.
import { relay } from "./relay.mjs";

const worker = new Worker(new URL(`./worker.mjs${location.search}`, import.meta.url), { type: "module" });
worker.addEventListener("error", ({ message }) => parent.postMessage({ failed: message ?? "the worker does not load" }, "*"));
relay(worker);
