// A token: its coloured parts, its claims, the time it has left.
import { copyButton } from "../copy.js";
import { h, some } from "../dom.js";
import { dateTime, span, t, words } from "../language.js";
import { ring } from "../ring.js";
import { decode, lifeOf, windowsOf } from "../token.js";

const PARTS = ["header", "claims", "signature"];

/** `arrivedAt` is on the monotonic clock, which counts the life: setting the machine's clock changes nothing. */
export function grantView(grant, arrivedAt) {
  const jwt = decode(grant.token);
  const life = lifeOf(grant);
  const { soft, hard } = windowsOf(life);
  const dial = ring();
  const tick = () => dial.show(life, life - (performance.now() - arrivedAt) / 1_000);
  tick();
  const timer = setInterval(tick, 200);

  const element = h("div", { class: "grant" },
    h("div", { class: "card life" }, h("h3", {}, t("grant.life")),
      h("div", { class: "life-body" }, dial.element,
        h("ul", { class: "legend" },
          h("li", { class: "fresh" }, words("grant.fresh")),
          h("li", { class: "soft" }, words("grant.soft", { time: span(soft * 1_000) })),
          h("li", { class: "hard" }, words("grant.hard", { time: span(hard * 1_000) })))),
      h("p", { class: "hint" }, words("grant.monotonic"))),
    h("div", { class: "card" },
      h("div", { class: "card-head" }, h("h3", {}, t("grant.token")),
        h("div", { class: "copies" },
          copyButton(grant.token, t("grant.token"), t("copy.token")),
          copyButton(`Authorization: Bearer ${grant.token}`, "Authorization: Bearer …", t("copy.header")))),
      h("p", { class: "jwt", tabindex: 0, role: "group", "aria-label": t("grant.token") },
        jwt ? jwt.parts.map((part, index) => [index > 0 ? "." : null, h("span", { class: `jwt-${PARTS[index]}` }, part)])
          : grant.token),
      jwt ? decoded(jwt) : h("p", {}, words("grant.opaque")),
      h("p", { class: "expires" }, words("grant.expires", { exp: String(grant.exp), date: dateTime(new Date(grant.exp * 1_000)) }))));
  return { element, close: () => clearInterval(timer) };
}

function decoded({ header, claims }) {
  return h("div", { class: "decoded" },
    part("header", h("pre", { tabindex: 0, "aria-label": t("grant.header") }, JSON.stringify(header, null, 2))),
    part("claims",
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("grant.claim")), h("th", { scope: "col" }, t("grant.value")))),
        h("tbody", {}, Object.entries(claims).map(([name, value]) => h("tr", {},
          h("th", { scope: "row" }, h("code", {}, name)),
          h("td", {}, h("code", {}, typeof value === "string" ? value : JSON.stringify(value)), meaning(name, value)))))),
      copyButton(JSON.stringify(claims, null, 2), t("grant.claims"), t("copy.claims"))),
    part("signature", h("p", { class: "hint" }, words("grant.unverified"))));
}

const part = (name, ...content) => h("div", { class: `part part-${name}` }, h("h4", {}, t(`grant.${name}`)), some(content));

const TIMES = ["iat", "exp", "nbf"];

/** What a claim means, for those that have a meaning that we know. */
function meaning(name, value) {
  const known = { iat: "issued", exp: "expiry", nbf: "notBefore", companyId: "company", jti: "id" }[name];
  if (!known) return null;
  const date = TIMES.includes(name) && Number.isFinite(value) ? dateTime(new Date(value * 1_000)) : undefined;
  return h("span", { class: "meaning" }, date ? t("claims.at", { what: t(`claims.${known}`), date }) : t(`claims.${known}`));
}
