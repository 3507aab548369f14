import * as api from "digitalpaye-auth";
import { tellAll } from "../events-program.mjs";

const unhandled = [];
addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
addEventListener("error", ({ message }) => unhandled.push(message));
tellAll(api).then(
  // `cases` is what the browser waits for.
  (report) => parent.postMessage({ ...report, cases: report.told, unhandled }, "*"),
  (error) => parent.postMessage({ failed: String(error.stack) }, "*"),
);
