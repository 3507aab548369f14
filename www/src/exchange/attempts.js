// The exchange, drawn as it happens: each attempt with what was sent, how long it took, and what came back.
import { h, set, setText, svg } from "../dom.js";
import { span, t } from "../language.js";

const WIDTH = 1_000;

/** `show(run)` draws it; what is there already is only brought up to date. */
export function attemptList() {
  const drawn = new Map();
  const note = h("p", { class: "waiting", role: "status" });
  const list = h("ol", { class: "attempts" });
  const element = h("div", {}, list, note);

  return {
    element,
    show(run) {
      const now = performance.now();
      for (const [attempt, { element }] of drawn) {
        if (run.attempts.includes(attempt)) continue;
        element.remove();
        drawn.delete(attempt);
      }
      run.attempts.forEach((attempt, index) => {
        if (!drawn.has(attempt)) {
          const made = one(attempt, index, run.attempts[index - 1]);
          drawn.set(attempt, made);
          list.append(made.element);
        }
        drawn.get(attempt).update(run, now);
      });
      const last = run.attempts.at(-1);
      const between = run.phase === "running" && last && last.phase !== "sent" && last.phase !== "answered";
      setText(note, between && last.status !== 200 ? t("attempt.pause") : "");
    },
  };
}

function one(attempt, index, before) {
  const { url, method, headers } = attempt;
  const bar = svg("rect", { class: "bar", y: 0, height: 6, rx: 3 });
  const duration = h("span", { class: "duration" });
  const reply = h("div", { class: "reply" });
  const element = h("li", { class: "attempt" },
    h("div", { class: "attempt-head" },
      h("h4", {}, t("attempt.number", { n: index + 1 })),
      before?.endedAt ? h("span", { class: "hint" }, t("attempt.after", { time: span(attempt.startedAt - before.endedAt) })) : null,
      duration),
    svg("svg", { class: "time", viewBox: `0 0 ${WIDTH} 6`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "whole", width: WIDTH, height: 6, rx: 3 }), bar),
    h("div", { class: "message sent" },
      h("p", { class: "direction" }, t("attempt.sent")),
      line(h("b", {}, method), " ", url.pathname),
      before ? null : line(h("span", { class: "header-name" }, "Host"), `: ${url.host}`),
      before ? null : headers.map(([name, value]) => line(h("span", { class: "header-name" }, name), `: ${value}`)),
      h("p", { class: "hint" }, t(before ? "attempt.again" : "attempt.empty"))),
    reply);
  let shown;

  return {
    element,
    update(run, now) {
      const end = attempt.endedAt ?? now;
      const begun = run.attempts[0].startedAt;
      const whole = Math.max(1, (run.endedAt || now) - begun);
      const from = ((attempt.startedAt - begun) / whole) * WIDTH;
      set(bar, { x: from.toFixed(1), width: Math.max(8, Math.min(WIDTH - from, ((end - attempt.startedAt) / whole) * WIDTH)).toFixed(1) });
      set(element, { "data-outcome": outcomeOf(attempt) });
      setText(duration, span(end - attempt.startedAt));
      if (shown === attempt.phase) return;
      shown = attempt.phase;
      reply.replaceChildren(...answer(attempt));
    },
  };
}

const line = (...parts) => h("p", { class: "line" }, parts);

export function outcomeOf({ phase, status }) {
  if (phase === "sent" || phase === "answered") return "open";
  return phase === "done" && status === 200 ? "good" : "bad";
}

function answer(attempt) {
  const { phase, status, redirected, type, body } = attempt;
  const head = h("p", { class: "direction" }, t("attempt.received"));
  if (phase === "sent") return [h("div", { class: "message received open" }, head, h("p", { class: "hint" }, t("attempt.open")))];
  if (status === undefined) {
    const why = phase === "abandoned" ? t("attempt.abandoned") : t("attempt.failed");
    return [h("div", { class: "message received" }, head, h("p", {}, why),
      phase === "failed" ? line(attempt.failure) : null)];
  }
  return [h("div", { class: "message received" }, head,
    redirected ? h("p", {}, t("attempt.redirected")) : line(h("b", { class: "status" }, status), ` ${reasonOf(status)}`),
    type ? line(h("span", { class: "header-name" }, "Content-Type"), `: ${type}`) : null,
    phase === "broken" || phase === "abandoned" ? h("p", {}, t(`attempt.${phase}`)) : null,
    body ? h("pre", { class: "body", tabindex: 0, "aria-label": t("attempt.body") }, body) : null)];
}

/** HTTP/2 has no reason phrases, so pages cannot rely on the reply's. */
const reasonOf = (status) => ({
  200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout",
  429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
})[status] ?? "";
