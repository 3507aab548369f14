// The countdown ring: a life once around, from the top, clockwise; what is over is faint.
import { h, set, setText, svg } from "./dom.js";
import { countdown, t } from "./language.js";
import { stageOf, windowsOf } from "./token.js";

const CENTRE = 60;
const RADIUS = 51;
const circle = (name) => svg("circle", { class: name, cx: CENTRE, cy: CENTRE, r: RADIUS, pathLength: 1 });

/** `show(life, left)`, in seconds, draws it. The stage is read out when it changes. */
export function ring() {
  const stages = ["fresh", "soft", "hard"];
  const faint = stages.map((stage) => circle(`ring-faint ${stage}`));
  const bright = stages.map((stage) => circle(`ring-bright ${stage}`));
  const ticks = [0, 1].map(() => svg("line", { class: "ring-tick", x1: CENTRE, x2: CENTRE, y1: 2, y2: 16 }));
  const hand = svg("circle", { class: "ring-hand", cx: CENTRE, cy: CENTRE - RADIUS, r: 6.5 });
  const left = h("span", { class: "ring-left", role: "timer", "aria-label": t("ring.left") });
  const stage = h("span", { class: "ring-stage", role: "status" });
  const element = h("div", { class: "ring" },
    svg("svg", { viewBox: "0 0 120 120", "aria-hidden": "true" }, faint, bright, ticks, hand),
    h("div", { class: "ring-text" }, left, stage));

  const arc = (circle, from, to) => set(circle, {
    "stroke-dasharray": `${Math.max(0, to - from).toFixed(4)} 1`,
    "stroke-dashoffset": (-from).toFixed(4),
    visibility: to > from ? "visible" : "hidden",
  });
  const turn = (element, share) => set(element, { transform: `rotate(${(share * 360).toFixed(2)} ${CENTRE} ${CENTRE})` });

  return {
    element,
    show(life, seconds) {
      const windows = windowsOf(life);
      const gone = Math.min(1, Math.max(0, 1 - seconds / life));
      const bounds = [0, 1 - windows.soft / life, 1 - windows.hard / life, 1];
      stages.forEach((_, index) => {
        const [from, to] = [bounds[index], bounds[index + 1]];
        arc(faint[index], from, to);
        arc(bright[index], Math.max(from, gone), to);
      });
      ticks.forEach((tick, index) => turn(tick, bounds[index + 1]));
      turn(hand, gone);
      const now = stageOf(seconds, windows);
      set(element, { "data-stage": now });
      setText(left, countdown(seconds));
      setText(stage, t(`ring.${now}`));
    },
    /** Nothing to count. */
    clear() {
      set(element, { "data-stage": "none" });
      setText(left, "–");
      setText(stage, t("ring.none"));
      for (const each of [...faint, ...bright]) set(each, { visibility: "hidden" });
    },
  };
}
