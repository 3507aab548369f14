// The faults that the fuzzer has to find, each a change to the installed package's JavaScript. Where that is rewritten, the
// text to be replaced is to be looked up anew, here and nowhere else; a text that is not there fails its test.
//
// `edits` are `[file, text, in its place]`; `message` is what is said of a find.
export const mutants = [
  {
    fault: "no room is made sure of before the module is entered",
    edits: [["host.js", "frames = 512", "frames = 0"]],
    message: /RuntimeError|the next exchange fails|the module's memory holds a secret/,
    // Where the stack ends depends on what has been compiled until then.
    alone: false,
  },
  {
    fault: "a getter of a response may throw",
    edits: [["reply.js", "const value = attempt(read);", "const value = read();"]],
    message: /ended with network/,
  },
  {
    fault: "the error of undici's parser is passed on as it is",
    edits: [["errors.js", "withoutReply(value)", "value"]],
    message: /shows what it must not/,
  },
  {
    fault: "a body of any size is read",
    edits: [["reply.js", "size > CAP", "false"]],
    message: /but for \[\{"code":"invalid_response"/,
  },
  {
    fault: "a token may hold a space",
    edits: [["reply.js", "JSON.parse(decoder.decode(bytes))", 'JSON.parse(decoder.decode(bytes).replace(" x", ""))']],
    message: /ended with a token, .* but for \[\{"code":"invalid_response"/,
  },
  {
    fault: "nobody listens to a signal",
    edits: [["host.js", 'attempt(() => signal.addEventListener("abort", listener));', ""]],
    message: /has not ended with the abort/,
  },
  {
    fault: "an error holds the Basic value",
    edits: [
      ["host.js", "headers: { Authorization: authorization,", "headers: { Authorization: (globalThis.lastAuthorization = authorization),"],
      ["errors.js", "this.code = code === ANY ? fields.code : code;", "this.code = code === ANY ? fields.code : code; Object.defineProperty(this, 'request', { value: { headers: [globalThis.lastAuthorization] } });"],
    ],
    message: /shows what it must not/,
  },
  {
    fault: "a token is not frozen",
    edits: [["host.js", "Object.freeze({ token, exp })", "({ token, exp })"]],
    message: /no frozen/,
  },
  {
    fault: "no timer goes off",
    edits: [["host.js", "Math.min(Math.max(Math.ceil(ms), 0), 0x7fffffff)", "0x7fffffff"]],
    message: /has not settled/,
  },
  {
    fault: "what waitUntil returns may reject",
    edits: [["host.js", "Promise.resolve(keep(work)).catch(ignore)", "Promise.resolve(keep(work))"]],
    message: /unhandledRejection/,
  },
  {
    fault: "dispose leaves the secret where it is",
    edits: [["auth.js", "needRoom();\n    this.#host.close();", "needRoom();"]],
    message: /the module's memory holds a secret/,
    // What is left is seen when all is over.
    count: 500,
    limit: 1e9,
  },
  {
    fault: "Retry-After is not read",
    edits: [["reply.js", 'header("retry-after")', "undefined"]],
    message: /but for|waited for|gave up/,
  },
  {
    fault: "Age is not read",
    edits: [["reply.js", 'header("age")', "undefined"]],
    message: /but for \["a token"\]/,
  },
  {
    fault: "fetch sends a token anywhere",
    edits: [["fetch.js", "url.origin !== new URL(base).origin", "false"]],
    message: /a token was sent to https:\/\/elsewhere\.example/,
  },
];
