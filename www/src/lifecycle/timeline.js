// The time line: callers, requests and tokens, one above the other, on one axis that moves under "now".
import { h, set, svg } from "../dom.js";
import { number, t } from "../language.js";

const ROWS = { callers: 34, requests: 106, tokens: 172 };
const LANE = 24;
const HEIGHT = 258;
/** The share of the width that is past. */
const PAST = 0.66;
const SHORTEST_MS = 30_000;
const LONGEST_MS = 120_000;
const STEPS = [5_000, 10_000, 20_000, 30_000, 60_000];
/** What labels need, in pixels. */
const TICK_ROOM = 72;
const STATUS_ROOM = 26;
const MARK_ROOM = 120;

/** `draw(session)` draws the present moment. */
export function timeline() {
  let width = 720;
  const drawing = svg("g", {});
  const root = svg("svg", { class: "timeline", role: "img", "aria-label": t("timeline.label"), height: HEIGHT }, drawing);
  const element = h("div", { class: "timeline-frame" }, root);
  const watcher = new ResizeObserver(([entry]) => { width = Math.max(280, entry.contentRect.width); });
  watcher.observe(element);

  return {
    element,
    close: () => watcher.disconnect(),
    draw(session) {
      const now = performance.now();
      const life = session.held?.life ?? 20;
      const reach = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, life * 3_000));
      const start = now - reach * PAST;
      const x = (at) => ((at - start) / reach) * width;
      const sees = (from, to = from) => to >= start && from <= start + reach;
      set(root, { viewBox: `0 0 ${width} ${HEIGHT}`, width });
      drawing.replaceChildren(
        axis(x, reach, now),
        ...Object.entries(ROWS).map(([name, y]) => rowLabel(name, y)),
        ...session.tokens.filter(({ at, end }) => sees(at, end)).map((token) => tokenBar(token, x, width)),
        ...apart(session.requests.filter(({ startedAt, endedAt = now }) => sees(startedAt, endedAt)), ({ startedAt }) => x(startedAt), STATUS_ROOM)
          .map(([request, labelled]) => requestBar(request, x, now, labelled)),
        ...session.calls.filter(({ at, endedAt = now }) => sees(at, endedAt)).map((call) => callMark(call, x, now)),
        ...apart(session.marks.filter(({ at }) => sees(at)), ({ at }) => x(at), MARK_ROOM).map(([mark, free]) => outsideMark(mark, x, free)),
        svg("line", { class: "now", x1: x(now), x2: x(now), y1: 14, y2: HEIGHT - 22 }),
      );
    },
  };
}

/** Each with whether there is room for a label after the last one that has one. */
function apart(records, position, room) {
  let last = -Infinity;
  return records.map((record) => {
    const free = position(record) - last >= room;
    if (free) last = position(record);
    return [record, free];
  });
}

function axis(x, reach, now) {
  const step = STEPS.find((step) => x(step) - x(0) >= TICK_ROOM) ?? STEPS.at(-1);
  const ticks = [];
  for (let offset = -Math.floor((reach * PAST) / step) * step; offset <= reach * (1 - PAST); offset += step) {
    const at = x(now + offset);
    const label = offset === 0 ? t("timeline.now") : `${offset > 0 ? "+" : "−"}${number(Math.abs(offset) / 1_000)}\u00a0s`;
    ticks.push(svg("line", { class: "grid", x1: at, x2: at, y1: 14, y2: HEIGHT - 22 }),
      // The first and the last would be cut off.
      at > 18 && x(now + reach * (1 - PAST)) - at > 18
        ? svg("text", { class: offset === 0 ? "tick here" : "tick", x: at, y: HEIGHT - 6, "text-anchor": "middle" }, label) : null);
  }
  return svg("g", {}, ticks);
}

const rowLabel = (name, y) => svg("text", { class: "row-label", x: 0, y: y - 18 }, t(`timeline.${name}`));

/** Which of the two colours that tokens have in turn. */
const turn = (token) => (token ? `turn-${token.number % 2}` : "");

function tokenBar(token, x, width) {
  const { number: n, at, end, soft, hard } = token;
  const y = ROWS.tokens + (n % 2) * LANE;
  const bounds = [at, end - soft * 1_000, end - hard * 1_000, end].map((time) => Math.min(width + 8, Math.max(-8, x(time))));
  const piece = (stage, from, to) => (to > from ? svg("rect", { class: `life ${stage}`, x: from, width: to - from, y, height: 16 }) : null);
  const from = bounds[0];
  return svg("g", { class: `token ${turn(token)}` },
    piece("fresh", bounds[0], bounds[1]), piece("soft", bounds[1], bounds[2]), piece("hard", bounds[2], bounds[3]),
    svg("text", { class: "token-label", x: Math.max(4, from + 5), y: y + 12 }, `${n}`));
}

function requestBar({ phase, status, startedAt, endedAt }, x, now, labelled) {
  const from = x(startedAt);
  const end = x(endedAt ?? now);
  const good = phase === "done" && status === 200;
  const open = phase === "sent" || phase === "answered";
  const y = ROWS.requests;
  return svg("g", { class: `request ${open ? "open" : good ? "good" : "bad"}` },
    svg("rect", { x: from, y, width: Math.max(5, end - from), height: 16, rx: 2.5 }),
    open || !labelled ? null : svg("text", { class: "request-label", x: from, y: y + 29 }, status ? String(status) : phase === "abandoned" ? "…" : "×"));
}

function callMark({ at, endedAt, count, failed, token }, x, now) {
  const y = ROWS.callers;
  const radius = 3.5 + Math.log10(count) * 2.6;
  const done = endedAt !== undefined;
  const kind = !done ? "waiting" : failed > 0 ? "refused" : "served";
  const [from, to] = [x(at), x(endedAt ?? now)];
  const shape = kind === "refused"
    ? svg("path", { d: `M${from - 4} ${y - 4}l8 8m0 -8l-8 8` })
    : svg("circle", { cx: from, cy: y, r: radius });
  return svg("g", { class: `call ${kind} ${turn(token)}` },
    // A caller that had to wait trails a line.
    to - from > radius + 2 ? svg("line", { class: "wait", x1: from, x2: to, y1: y, y2: y }) : null,
    shape,
    count > 1 ? svg("text", { class: "call-label", x: from, y: y + radius + 12, "text-anchor": "middle" }, number(count)) : null);
}

/** Two that are close have their words on two lines. */
const outsideMark = ({ at, kind }, x, free) => svg("g", { class: "outside" },
  svg("line", { x1: x(at), x2: x(at), y1: 22, y2: HEIGHT - 22 }),
  svg("text", { x: x(at) + 4, y: ROWS.requests - (free ? 38 : 25) }, t(`marks.${kind}`)));
