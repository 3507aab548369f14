// The faults that the fuzzer has to find, each a change to the installed package's JavaScript: to its own files, or to the glue
// by which the module calls the platform. Where that is rewritten, the text to be replaced is to be looked up anew, here and
// nowhere else; a text that is not there fails its test.
//
// `edits` are `[file, text, in its place]`; `message` is what is said of a find.
const GLUE = "wasm/digitalpaye_auth_bg.js";
// What the module calls get() of: headers, stores and maps.
const GET = "const ret = arg0.get(arg1);";
const withoutHeader = (name) => [GLUE, GET, `const ret = arg1 === "${name}" ? null : arg0.get(arg1);`];

export const mutants = [
  {
    fault: "no room is made sure of before the module is entered",
    edits: [["client.js", "frames = 512", "frames = 0"]],
    message: /RuntimeError|attempted to take ownership|the next exchange fails|the module's memory holds a secret/,
    // Where the stack ends depends on what has been compiled until then.
    alone: false,
  },
  {
    fault: "what a getter throws crosses the module",
    edits: [[GLUE, "return handleError(function(arg0, arg1) {\n    const ret = Reflect.get(", "return ((call, args) => call(...args))(function(arg0, arg1) {\n    const ret = Reflect.get("]],
    message: /ended with what is no AuthError|unhandledRejection|has not settled/,
  },
  {
    fault: "the error of undici's parser is passed on as it is",
    edits: [["rejection.js", "withoutReply(fields.cause)", "fields.cause"]],
    message: /shows what it must not/,
  },
  {
    fault: "a token may hold a space",
    edits: [[GLUE, "JSON.parse(arg0)", 'JSON.parse(arg0.replace(" x", ""))']],
    message: /ended with a token, .* but for \[\{"code":"invalid_response"/,
  },
  {
    fault: "nobody listens to a signal",
    edits: [[GLUE, "arg0.addEventListener(getStringFromWasm0(arg1, arg2), arg3);", ""]],
    message: /has not ended with the abort/,
  },
  {
    fault: "an error holds the Basic value",
    edits: [
      [GLUE, "arg0.Authorization = getStringFromWasm0(arg1, arg2)", "arg0.Authorization = globalThis.lastAuthorization = getStringFromWasm0(arg1, arg2)"],
      ["errors.js", 'define(this, "code", code === ANY ? fields.code : code);', 'define(this, "code", code === ANY ? fields.code : code); ' + "Object.defineProperty(this, 'request', { value: { headers: [globalThis.lastAuthorization] } });"],
    ],
    message: /shows what it must not/,
  },
  {
    fault: "a token is not frozen",
    edits: [[GLUE, "Object.freeze(arg0)", "arg0"]],
    message: /no frozen \{ token, exp \}/,
  },
  {
    fault: "an event is not frozen",
    edits: [["events.js", "Object.freeze(members)", "members"]],
    message: /no frozen event/,
  },
  {
    fault: "no timer goes off",
    edits: [[GLUE, "setTimeout(arg0, arg1", "setTimeout(arg0, 0x7fffffff"]],
    message: /has not settled/,
  },
  {
    fault: "what foreign promises reject with is nobody's",
    edits: [[GLUE, "const ret = arg0.then(arg1, arg2);", "const ret = arg1 === undefined ? arg0 : arg0.then(arg1, arg2);"]],
    message: /unhandledRejection/,
  },
  {
    fault: "dispose leaves the secret where it is",
    edits: [["client.js", "client?.close();\n    if (client) Promise.resolve().then(() => client.free());", "(globalThis.kept ??= []).push(client);"]],
    message: /the module's memory holds a secret/,
    // What is left is seen when all is over.
    count: 500,
    limit: 1e9,
  },
  {
    fault: "Retry-After is not read",
    edits: [withoutHeader("retry-after")],
    message: /but for|waited for|gave up/,
  },
  {
    fault: "Age is not read",
    edits: [withoutHeader("age")],
    message: /but for \["a token"\]/,
  },
  {
    fault: "a secret that could not be had is not to be asked for again",
    edits: [["errors.js", '"timeout", "credentials"]', '"timeout"]']],
    message: /credentials is not retryable/,
  },
  {
    fault: "fetch sends a token anywhere",
    edits: [["fetch.js", "if (url.origin === new URL(baseUrl).origin) return;", "return;"]],
    message: /a token was sent to https:\/\/elsewhere\.example/,
  },
  {
    fault: "a timer that is needed no longer goes on, though it keeps no process",
    edits: [[GLUE, "clearTimeout(arg0);", "arg0.unref?.();"]],
    message: /timers are left/,
  },
];
