// The first tab: the form, and one exchange.
import { controlPanel } from "../control.js";
import { copyButton } from "../copy.js";
import { h } from "../dom.js";
import { span, t, words } from "../language.js";
import { settings } from "../settings.js";
import { apply } from "../standin.js";
import { attemptList } from "./attempts.js";
import { failureView } from "./failure.js";
import { optionsForm } from "./form.js";
import { grantView } from "./grant.js";
import { cancel, onChange, run, start } from "./run.js";

const FRAME_MS = 100;
const wishes = { behaviour: "normal", lifetime: 600 };

export function exchangeView() {
  const form = optionsForm(submit, cancel, () => apply(wishes));
  const control = controlPanel("exchange", wishes);
  const status = h("p", { class: "unseen", role: "status" });
  const attempts = attemptList();
  const summary = h("p", { class: "summary" });
  const empty = h("div", { class: "empty" }, diagram(), h("p", {}, words("exchange.empty")));
  const drawing = h("div", { class: "card exchange" }, h("div", { class: "card-head" }, h("h3", {}, t("exchange.title")), summary), attempts.element);
  const outcome = h("div", { class: "outcome" });
  let result;
  let drawnPhase;
  let timer;

  const guide = settings.given ? null : h("details", { class: "card start", open: true },
    h("summary", {}, t("start.title")),
    h("p", {}, words("start.text")),
    command("npm start"),
    h("p", {}, words("start.alone")),
    command("cargo run -p digitalpaye-sandbox"),
    h("p", {}, h("button", { type: "button", on: { click: () => form.fill() } }, t("start.fill"))));

  const results = h("div", { class: "results" }, status, empty, drawing, outcome);
  const element = h("div", {}, guide, h("div", { class: "columns" },
    h("div", { class: "card" }, form.element, h("div", { class: "below" }, control.element)),
    results,
    h("section", { class: "warning", "aria-label": t("warning.title") },
      h("h3", {}, t("warning.title")), h("p", {}, words("warning.text")), h("p", {}, words("warning.how")))));

  function submit() {
    if (run.phase === "running") return;
    start();
    // Where there is one column, what happens is below the form.
    if (results.getBoundingClientRect().top > innerHeight * 0.6) {
      results.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    }
  }

  function draw() {
    attempts.show(run);
    const running = run.phase === "running";
    summary.textContent = run.phase === "none" ? "" : t("exchange.total", {
      n: run.attempts.length, time: span((run.endedAt || performance.now()) - run.startedAt),
    });
    if (running) timer ??= setInterval(draw, FRAME_MS);
    else {
      clearInterval(timer);
      timer = undefined;
    }
    if (drawnPhase === run.phase && result?.of === (run.grant ?? run.error)) return;
    drawnPhase = run.phase;
    form.running(running);
    empty.hidden = run.phase !== "none";
    drawing.hidden = run.attempts.length === 0 && !running;
    result?.close?.();
    result = { of: run.grant ?? run.error };
    if (run.phase === "token") Object.assign(result, grantView(run.grant, run.attempts.at(-1).startedAt));
    if (run.phase === "failed") {
      result.element = failureView(run.error);
      form.blame(run.error.option);
    }
    if (run.phase === "cancelled") result.element = h("p", { class: "card" }, t("exchange.cancelled"));
    outcome.replaceChildren(...(result.element ? [result.element] : []));
    status.textContent = t(`exchange.status.${run.phase}`);
  }

  onChange(draw);
  draw();
  return {
    element,
    enter: () => apply(wishes),
    refresh() {
      control.refresh();
      if (!element.closest("[hidden]")) apply(wishes);
    },
    close() {
      clearInterval(timer);
      result?.close?.();
    },
  };
}

const command = (text) => h("div", { class: "command" }, h("code", {}, text), copyButton(text, text));

/** What is about to happen, in three words. */
function diagram() {
  const stop = (name) => h("span", { class: "stop" }, t(`exchange.${name}`));
  const arrow = () => h("span", { class: "arrow", "aria-hidden": "true" });
  return h("p", { class: "diagram" }, stop("page"), arrow(), stop("api"), arrow(), stop("token"));
}
