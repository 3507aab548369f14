// What the command prints. A reader that has gone away and a disk that is full end it in silence or in one line, never in
// a stack trace.

/** Whether the one at the other end of a pipe has gone: what it did not want to read is no failure of ours. */
const isGone = ({ code, name }) => ["EPIPE", "EOF", "ECONNRESET", "ERR_STREAM_DESTROYED"].includes(code) || name === "BrokenPipe";

for (const stream of [process.stdout, process.stderr]) {
  // Errors are looked at where something is written; without a listener they would end the process here.
  stream.on("error", () => {});
}

/** Writes to a stream; resolves to the error that came of it, if one did. */
const write = (stream, text) => new Promise((resolve, reject) => {
  // Deno throws where Node.js calls back.
  stream.write(text, (error) => (error ? reject(error) : resolve()));
}).catch((error) => error);

/** Prints to stdout; resolves to the exit status `status`, or 1 if it could not be written. */
export async function print(text, status = 0) {
  const error = await write(process.stdout, text);
  if (error === undefined || isGone(error)) return status;
  return fail("output", `could not be written (${error.code ?? error.message})`, 1);
}

/** Prints `CODE: message` to stderr as one line that no terminal obeys, whatever the API's words hold. */
export async function fail(code, message, status) {
  await write(process.stderr, `${code}: ${oneLine(message)}\n`);
  return status;
}

/** Without line breaks, control characters and those that turn the direction of writing. */
export function oneLine(text) {
  return text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, " ").trim();
}

/** The code of an error, its cause or the first of its errors, if there is one: what there is to look up. */
export function codeOf(error) {
  for (let each = error, depth = 0; each && depth < 8; each = each.errors?.[0] ?? each.cause, depth += 1) {
    if (typeof each.code === "string" && each.code !== "") return each.code;
    // No platform's fetch asks at such a port (Fetch standard, "port blocking"); undici has no code for it.
    if (each.message === "bad port") return each.message;
  }
  return undefined;
}

/** Sets the exit status, unless a command that keeps running has yet to find out. */
export function end(status) {
  if (status !== undefined) process.exitCode = status;
}
