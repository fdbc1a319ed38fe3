// 巡检: the patrol of the day, stop after stop in the order of its route; what is left out is told before the patrol ends.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { db, recall, watch } from "./db.mjs";
import { bar, head } from "./frame.mjs";
import { enqueue } from "./outbox.mjs";
import { button, chip, sheet, toast } from "./parts.mjs";
import { standing } from "./patrol_rules.mjs";
import { nudge } from "./sync.mjs";

const SIGNS = { visited: ["green", "check"], skipped: ["orange", "warn"], held: ["red", "warn"], waiting: ["", null] };

/** The list on the day's page. */
export function section(patrols, changes) {
  if (!patrols.length) return null;
  return el("section", { class: "patrols" }, el("h2", {}, t("Patrol"), el("span", { class: "count" }, String(patrols.length))), patrols.map((patrol) => {
    const left = patrol.stops.filter((stop) => standing(stop, changes) === "waiting").length;
    return el("a", { class: `item ${left ? "grey" : "green"}`, href: `#/patrol/${patrol.id}`, dataset: { key: `patrol-${patrol.id}` } },
      el("strong", {}, patrol.name), patrol.note ? el("span", { class: "line" }, patrol.note) : null,
      el("span", { class: "chips" }, chip(t("%(n)s of %(of)s stops told", { n: patrol.stops.length - left, of: patrol.stops.length }), left ? "" : "green"), mine(patrol, changes).length ? chip(t("to send"), "blue", "up") : null));
  }));
}

const mine = (patrol, changes) => changes.filter((change) => patrol.stops.some((stop) => change.thing === `patrol:${stop.id}`));

/** The screen. */
export function open(main, id) {
  return watch(() => load(Number(id)), (found) => show(main, found));
}

async function load(id) {
  const [kept, changes] = await Promise.all([recall("patrols"), db.outbox.orderBy("seq").toArray()]);
  return { patrol: kept?.patrols.find((one) => one.id === id) ?? null, changes };
}

function show(main, { patrol, changes }) {
  head(patrol?.name ?? t("Patrol"), { back: "#/today" });
  if (!patrol) {
    bar(el("a", { class: "big button wide", href: "#/today" }, t("My day")));
    return fill(main, el("p", { class: "empty" }, el("strong", {}, t("This patrol is not on this phone any more.")), t("What you told of it is kept and sent.")));
  }
  const states = patrol.stops.map((stop) => [stop, standing(stop, changes)]);
  const left = states.filter(([, state]) => state === "waiting").map(([stop]) => stop);
  fill(main, patrol.note ? el("p", { class: "notice" }, patrol.note) : null,
    el("p", { class: "chips", role: "status" }, left.length ? chip(t("not told yet: %(n)s", { n: left.length }), "orange", "warn") : chip(t("every stop is told"), "green", "check")),
    el("ol", { class: "stops plain" }, states.map(([stop, state]) => el("li", {}, card(stop, state, changes)))));
  const next = left[0];
  if (next) bar(left.length < states.length ? button(t("End the patrol"), () => finish(patrol, left)) : null, el("a", { class: "big button primary wide", href: `#/stop/${next.id}` }, t("Next: %(name)s", { name: next.name })));
  else bar(el("a", { class: "big button wide", href: "#/today" }, t("My day")));
}

function card(stop, state, changes) {
  const [colour, sign] = SIGNS[state];
  const waits = changes.some((change) => change.thing === `patrol:${stop.id}` && change.state === "waiting");
  return el("a", { class: `item ${colour || "grey"}`, href: `#/stop/${stop.id}`, dataset: { key: `stop-${stop.id}` } },
    el("strong", {}, `${stop.stop_no}. ${stop.name}`),
    el("span", { class: "line" }, [stop.unit, stop.travel_s ? t("%(n)s min on the way", { n: Math.max(1, Math.round(stop.travel_s / 60)) }) : null, t("points to read: %(n)s", { n: stop.points.length })].filter(Boolean).join(" · ")),
    el("span", { class: "chips" }, chip(word("stop", state), colour, sign), waits ? chip(t("to send"), "blue", "up") : null));
}

/** Before it ends: which stops are missing, and why. The reason is told for each of them. */
async function finish(patrol, left) {
  const reason = await sheet(t("Not visited: %(n)s", { n: left.length }), (close) => {
    const said = el("textarea", { rows: "2", maxlength: "1000", "aria-label": t("Why were they not visited?") });
    return [el("ul", { class: "missed" }, left.map((stop) => el("li", {}, `${stop.stop_no}. ${stop.name}`))), el("label", {}, t("Why were they not visited?"), said),
      el("div", { class: "stack" }, button(t("Tell the desk"), () => (said.value.trim() ? close(said.value.trim()) : said.focus()), { kind: "primary" }), button(t("Go on with the patrol"), () => close()))];
  });
  if (!reason) return;
  for (const stop of left) await enqueue("patrol.skip", stop.id, stop.version, { note: reason });
  toast(t("The desk is told which stops were not visited."));
  await nudge({ hopeful: true });
}

