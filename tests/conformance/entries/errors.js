// Tells the page that opened this one what went wrong, a script that does not load included.
const failed = (text) => parent.postMessage({ failed: String(text) }, "*");
addEventListener("error", (event) => failed(event.message ?? `${event.target.src ?? "something"} does not load`), true);
addEventListener("unhandledrejection", ({ reason }) => failed(`unhandled: ${reason?.stack ?? reason}`));
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => failed(`${violatedDirective}: ${blockedURI}`));
