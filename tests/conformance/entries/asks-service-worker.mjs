// Runs the suite in a service worker.
import { relay } from "./relay.mjs";

try {
  const registration = await navigator.serviceWorker.register(
    new URL(`./worker.mjs${location.search}`, import.meta.url), { type: "module" },
  );
  relay(registration.installing ?? registration.waiting ?? registration.active);
} catch (error) {
  parent.postMessage({ failed: String(error) }, "*");
}
