import { meetAll } from "../caller.mjs";
import * as api from "digitalpaye-auth";

const unhandled = [];
addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
const control = new URL(location.href).searchParams.get("control");
meetAll(api, control).then(
  (report) => parent.postMessage({ ...report, unhandled }, "*"),
  (error) => parent.postMessage({ failed: String(error.stack) }, "*"),
);
