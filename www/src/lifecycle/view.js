// The second tab: many callers, one client, and everything that can go wrong around them.
import { InvalidOptionsError } from "digitalpaye-auth";
import { offset, shift } from "../clock.js";
import { controlPanel } from "../control.js";
import { h, setText } from "../dom.js";
import { number, span, t, time, words } from "../language.js";
import { ring } from "../ring.js";
import { options } from "../settings.js";
import { apply } from "../standin.js";
import { Session } from "./session.js";
import { timeline } from "./timeline.js";

const HOUR_MS = 3_600_000;
const LINES = 40;
const STILL_MS = 1_000;
const FRAME_MS = 80;

// They outlive the view, which is rebuilt when the language changes.
const wishes = { behaviour: "normal", lifetime: 20, distinct: true };
const lines = [];
let heard = () => {};
const session = new Session((kind, record) => heard(kind, record));

export function lifecycleView() {
  const log = h("ol", { class: "log", tabindex: 0, "aria-label": t("lifecycle.log") });
  const said = h("p", { class: "said", role: "status" });
  const problem = h("p", { class: "problem", role: "alert" });
  const clock = h("output", { class: "clock", "aria-label": t("lifecycle.clock") });
  const dial = ring();
  const holder = h("p", { class: "holder" });
  const picture = timeline();
  const totals = Object.fromEntries(["callers", "requests", "tokens", "failed"].map((name) => [name, h("dd", {}, "0")]));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let timer;

  const control = controlPanel("lifecycle", wishes, (name) => name === "behaviour" && session.mark("answers"));

  const ready = () => {
    setText(problem, "");
    try {
      session.open(options());
      return true;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      setText(problem, t("lifecycle.unusable", { option: error.option }));
      traffic.checked = session.traffic = false;
      return false;
    }
  };

  async function ask(count, how) {
    if (!ready()) return;
    setText(said, t("lifecycle.asking", { n: count }));
    const batch = await session.ask(count, how);
    if (batch.endedAt === undefined) return;
    setText(said, t(batch.failed === 0 ? "lifecycle.servedAll" : "lifecycle.refused", {
      n: batch.count, failed: batch.failed, served: batch.served, requests: batch.requests,
      time: span(batch.endedAt - batch.at), token: batch.token?.number, code: batch.error?.code,
    }));
  }

  const traffic = h("input", {
    type: "checkbox", id: "traffic", role: "switch", properties: { checked: session.traffic },
    on: { change: () => { if (ready()) session.traffic = traffic.checked; } },
  });
  const button = (key, action, values) => h("button", { type: "button", on: { click: action } }, t(`lifecycle.${key}`, values));
  const hours = [-1, 0, 1].map((hour) => h("button", {
    type: "button", "aria-pressed": offset() === hour * HOUR_MS,
    on: {
      click: () => {
        shift(hour * HOUR_MS);
        hours.forEach((each, index) => each.setAttribute("aria-pressed", index - 1 === hour));
        session.mark(["back", "right", "ahead"][hour + 1]);
      },
    },
  }, t(`lifecycle.hours.${["back", "right", "ahead"][hour + 1]}`)));

  const element = h("div", { class: "lifecycle" },
    h("div", { class: "card" }, h("h2", {}, t("lifecycle.title")), h("p", {}, words("lifecycle.lead")),
      h("div", { class: "controls" },
        h("fieldset", {}, h("legend", {}, t("lifecycle.ask")),
          h("div", { class: "buttons" },
            [1, 100, 10_000].map((count) => h("button", { type: "button", class: "primary", on: { click: () => ask(count) } }, t("lifecycle.callers", { n: count })))),
          h("label", { class: "switch", for: "traffic" }, traffic, h("span", {}, t("lifecycle.traffic")))),
        control.element,
        h("fieldset", {}, h("legend", {}, t("lifecycle.clock")),
          h("div", { class: "buttons joined" }, hours), clock),
        h("fieldset", {}, h("legend", {}, t("lifecycle.more")),
          h("div", { class: "buttons" },
            button("force", () => ask(1, { forceRefresh: true })),
            button("invalidate", () => { if (session.held) { session.invalidate(); session.mark("invalidated"); } }),
            button("clear", () => { traffic.checked = session.traffic = false; session.clear(); lines.length = 0; setText(said, ""); showLog(); draw(); })))),
      problem, said),
    h("div", { class: "card picture" }, h("h3", {}, t("timeline.title")),
      h("div", { class: "now-held" },
        dial.element,
        h("div", { class: "numbers" }, holder,
          h("dl", { class: "totals" }, Object.entries(totals).map(([name, value]) => h("div", { class: `total-${name}` }, h("dt", {}, t(`totals.${name}`)), value))))),
      picture.element, key()),
    h("div", { class: "card" }, h("h3", {}, t("lifecycle.log")), h("p", { class: "hint" }, t("lifecycle.logHint")), log));

  function draw() {
    const now = performance.now();
    const { held } = session;
    if (held) dial.show(held.life, (held.end - now) / 1_000);
    else dial.clear();
    setText(holder, held ? t(now < held.end ? "lifecycle.held" : "lifecycle.past", { n: held.number }) : t("lifecycle.none"));
    setText(totals.callers, number(session.totals.callers));
    setText(totals.requests, number(session.totals.requests));
    setText(totals.tokens, number(session.tokens.at(-1)?.number ?? 0));
    setText(totals.failed, number(session.totals.failed));
    setText(clock, `${time(new Date(Date.now()))}${offset() ? ` (${t(`lifecycle.hours.${offset() > 0 ? "ahead" : "back"}`)})` : ""}`);
    picture.draw(session);
  }

  function showLog() {
    log.replaceChildren(...(lines.length === 0 ? [h("li", { class: "hint" }, t("lifecycle.quiet"))]
      : lines.map(({ at, key, values, times }) => h("li", {},
        h("time", {}, time(at)), " ", t(key, say(values)), times > 1 ? h("span", { class: "hint" }, ` × ${number(times)}`) : null))));
  }

  heard = (kind, record) => {
    const line = describe(kind, record);
    if (!line) return;
    // By a clock that is right: the log is for the reader.
    const at = new Date(performance.timeOrigin + performance.now());
    const [last] = lines;
    const again = last && last.key === line.key && JSON.stringify(last.values) === JSON.stringify(line.values);
    if (again) Object.assign(last, { at, times: last.times + 1 });
    else lines.unshift({ at, times: 1, ...line });
    lines.length = Math.min(lines.length, LINES);
    showLog();
  };

  showLog();
  draw();
  return {
    element,
    enter() {
      apply(wishes);
      draw();
      timer ??= setInterval(draw, still.matches ? STILL_MS : FRAME_MS);
    },
    /** What was set wrong here is right again elsewhere. */
    leave() {
      clearInterval(timer);
      timer = undefined;
      traffic.checked = session.traffic = false;
      shift(0);
      hours.forEach((each, index) => each.setAttribute("aria-pressed", index === 1));
    },
    refresh() {
      control.refresh();
      if (!element.closest("[hidden]")) apply(wishes);
    },
    close() {
      clearInterval(timer);
      picture.close();
    },
  };
}

/** What is worth a line in the log. Steady callers that are served are not. */
function describe(kind, record) {
  if (kind === "batch" && !record.steady) {
    return { key: record.failed ? "log.refused" : "log.served", values: {
      n: record.count, served: record.served, failed: record.failed, requests: record.requests,
      span: record.endedAt - record.at, token: record.token?.number, code: record.error?.code,
    } };
  }
  if (kind === "batch" && record.failed > 0) return { key: "log.steadyRefused", values: { code: record.error.code } };
  if (kind === "request" && record.phase === "sent") return { key: "log.sent" };
  if (kind === "request" && record.phase === "abandoned") return { key: "log.abandoned" };
  if (kind === "event") return told(record);
  if (kind === "token") return { key: "log.token", values: { n: record.number, life: Math.round(record.life) } };
  // A renewal that fails has a line by its event.
  if (kind === "mark" && record.kind !== "renewal") return { key: `log.${record.kind}` };
  return undefined;
}

/** What an event of the package is worth in the log. That nobody got a token, the callers' own line says. */
function told({ type, error, attempt, delayMs, background, ttlSeconds }) {
  const status = error?.status === undefined ? "" : ` (${error.status})`;
  if (type === "retry") return { key: "log.retry", values: { n: attempt, code: `${error.code}${status}`, span: delayMs } };
  if (type === "failure" && background) return { key: "log.renewal", values: { code: `${error.code}${status}`, left: Math.floor(ttlSeconds) } };
  if (type === "token" && background) return { key: "log.renewed" };
  return undefined;
}

const say = (values = {}) => ({ ...values, ...(values.span !== undefined && { time: span(values.span) }) });

/** What the colours and shapes mean. */
function key() {
  const item = (kind, label) => h("li", { class: `key-${kind}` }, t(`timeline.key.${label}`));
  return h("ul", { class: "key" }, item("served", "served"), item("waiting", "waiting"), item("refused", "refused"),
    item("fresh", "fresh"), item("soft", "soft"), item("hard", "hard"));
}
