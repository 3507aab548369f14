// Looking on while the package exchanges credentials for a token: a `fetch` that tells what goes out and comes back.

/** As much of a body as is looked at; an exchange's reply is far smaller. */
const PEEK_BYTES = 4_096;

/**
 * A `fetch` for the option of that name. `report(attempt)` comes when a request is sent, when it is answered, and when it
 * is over; it is the same object each time. The credentials are masked before anything else sees them.
 */
export function observe(report, send = globalThis.fetch) {
  return async (url, init) => {
    const attempt = {
      url: new URL(url),
      method: init.method,
      headers: Object.entries(init.headers).map(([name, value]) => [name, masked(name, value)]),
      startedAt: performance.now(),
      phase: "sent",
    };
    report(attempt);
    let response;
    try {
      response = await send(url, init);
    } catch (error) {
      end(attempt, init.signal?.aborted ? "abandoned" : "failed");
      attempt.failure = String(error);
      report(attempt);
      throw error;
    }
    Object.assign(attempt, {
      phase: "answered",
      status: response.status,
      redirected: response.type === "opaqueredirect",
      type: response.headers.get("content-type") ?? undefined,
      answeredAt: performance.now(),
    });
    report(attempt);
    peek(response.clone()).then((body) => {
      attempt.token = tokenIn(body);
      attempt.body = shown(body, attempt.token?.token);
      end(attempt, "done");
    }, () => end(attempt, init.signal?.aborted ? "abandoned" : "broken")).then(() => report(attempt));
    return response;
  };
}

function end(attempt, phase) {
  attempt.phase = phase;
  attempt.endedAt = performance.now();
}

/** Whatever the scheme, its credentials are not shown: Base64 hides nothing. */
function masked(name, value) {
  return name.toLowerCase() === "authorization" ? `${value.split(" ")[0]} ••••••••••••` : value;
}

/** The beginning of a body. The rest is left to the package, which reads its own copy. */
async function peek(response) {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; bytes < PEEK_BYTES;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
  }
  // Not awaited: the source is cancelled only when the package has had enough too.
  reader.cancel().catch(() => {});
  return text;
}

function tokenIn(body) {
  try {
    const { token, exp } = JSON.parse(body).data;
    return typeof token === "string" && Number.isInteger(exp) ? { token, exp } : undefined;
  } catch {
    return undefined;
  }
}

/** For reading: the token, which is shown on its own, cut short. */
function shown(body, token) {
  const text = token ? body.replace(token, `${token.slice(0, 8)}…`) : body;
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
