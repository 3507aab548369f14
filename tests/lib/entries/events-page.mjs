import * as api from "digitalpaye-auth";
import { tellMoments } from "../events-moments.mjs";
import { tellAll } from "../events-program.mjs";
import { tellSecrets } from "../secret-program.mjs";

const unhandled = [];
addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
addEventListener("error", ({ message }) => unhandled.push(message));
const all = async () => ({ ...await tellAll(api), moments: await tellMoments(api), secrets: await tellSecrets(api) });
all().then(
  // `cases` is what the browser waits for.
  (report) => parent.postMessage({ ...report, cases: report.told, unhandled }, "*"),
  (error) => parent.postMessage({ failed: String(error.stack) }, "*"),
);
