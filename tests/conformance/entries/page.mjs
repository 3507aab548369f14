// A page, as it is or bundled.
import "./errors.js";
// By name, as most do: that is what lets a bundler leave a module out.
import {
  AuthError, BadRequestError, CredentialsError, DigitalpayeAuth, InternalServerError, InvalidOptionsError, InvalidResponseError, NetworkError,
  RateLimitError, TimeoutError, UnauthorizedError, UnexpectedStatusError,
  UnsupportedRuntimeError, authenticate,
} from "digitalpaye-auth";
import { createEmulator } from "digitalpaye-auth/emulator";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { workersKvStore } from "digitalpaye-auth/stores/workers-kv";
import { controlOf } from "./control.mjs";
import { conformance } from "./suite.mjs";

const api = {
  AuthError, BadRequestError, CredentialsError, DigitalpayeAuth, InternalServerError, InvalidOptionsError, InvalidResponseError, NetworkError,
  RateLimitError, TimeoutError, UnauthorizedError, UnexpectedStatusError,
  UnsupportedRuntimeError, authenticate,
};
const baseUrl = new URL(location.href).searchParams.get("api");
// The Fetch standard: a redirect that is not followed shows no status, and a reply from another origin few headers.
const hides = ["redirects", "headers"];
const run = conformance({ api, subpaths: { createEmulator, redisStore, workersKvStore }, baseUrl, control: controlOf(baseUrl), hides });
run().then((report) => parent.postMessage({ ...report, versions: { userAgent: navigator.userAgent } }, "*"));
