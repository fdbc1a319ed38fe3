// 今日: the orders of the day and the sites to inspect, as a list or as a sketch of where they lie.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { begin } from "./begin.mjs";
import { now, ofToday } from "./clock.mjs";
import { db, recall, watch } from "./db.mjs";
import { section as rectification } from "./finding.mjs";
import { head, tabs } from "./frame.mjs";
import { categoryName } from "./names.mjs";
import { button, chip, choices, countdown, distance, icon, moment } from "./parts.mjs";
import { section as patrolSection } from "./patrol.mjs";
import { follow, lastPosition } from "./position.mjs";
import { timeState, wayTo, withChanges } from "./rules.mjs";
import { GroundMap } from "./ground_map.mjs";
import { readyLine } from "./ready.mjs";
import { places, sketch } from "./sketch.mjs";
import { section as spotSection } from "./spot.mjs";
import { stopsOf } from "./stops.mjs";
import { nudge } from "./sync.mjs";
import { facts, tracking } from "./track.mjs";
import { visitSection } from "./visits.mjs";

const OVER = ["resolved", "returned", "recalled"];
const GROUPS = [
  ["To accept", (o) => o.mine && o.status === "assigned"],
  ["Under way", (o) => o.mine && (o.status === "accepted" || o.status === "arrived")],
  ["Orders to inspect", (o) => !o.mine && !OVER.includes(o.status)],
  ["Done today", (o) => o.status === "resolved"],
];
let mode = "list";
let search = "";

/** The screen. */
export function open(main) {
  tabs("#/today");
  const again = el("button", { type: "button", class: "sign", "aria-label": t("Sync now"), onclick: () => nudge({ hopeful: true, full: true }) }, icon("refresh"));
  head(t("My day"), { right: again });
  let data = null;
  const fixed = { ready: el("section", {}), map: null }; // they stay while the lists around them are drawn anew
  const draw = () => data && show(main, data, draw, fixed);
  const stops = [
    readyLine(fixed.ready), () => fixed.map?.close(),
    watch(load, (found) => { data = found; draw(); }),
    follow(() => draw()),
  ];
  const timer = setInterval(draw, 30_000);
  return () => { clearInterval(timer); for (const stop of stops) stop(); };
}

async function load() {
  const [orders, sites, changes, drafts, fresh, kept] = await Promise.all([
    db.orders.toArray(), db.sites.toArray(), db.outbox.orderBy("seq").toArray(), db.drafts.toArray(), recall("lists_at"), recall("visits"),
  ]);
  return {
    whereabouts: tracking(await facts()), orders: orders.map((order) => withChanges(order, changes)), sites, drafts, fresh, changes, kept,
    visits: ofToday(kept, "visits"), findings: await recall("findings", []), patrols: ofToday(await recall("patrols"), "patrols"), spots: await recall("spots", []),
  };
}

function show(main, { orders, sites, drafts, fresh, changes, visits, findings, patrols, spots, whereabouts, kept }, redraw, fixed) {
  const here = lastPosition();
  const held = document.activeElement?.closest?.("#main [data-key]")?.dataset.key;
  if (document.activeElement?.id === "search") return; // never under the fingers
  const live = orders.filter((o) => !OVER.includes(o.status) || o.waiting.length || o.status === "resolved");
  if (!live.length && !sites.length && !visits.length && !findings.length && !patrols.length && !spots.length) return fill(main, empty(fresh));
  const open = live.filter((o) => !OVER.includes(o.status));
  const map = mode === "map" ? dayMap(open, sites, kept, here, fixed) : null;
  if (map && fixed.map?.open) return;
  fill(main,
    told(whereabouts),
    choices(t("View"), [["list", t("List")], ["map", t("Map")]], mode, (value) => { mode = value; redraw(); }),
    map ?? fixed.ready,
    mode === "list" ? patrolSection(patrols, changes) : null,
    mode === "list" ? visitSection(visits, drafts, startAt) : null,
    mode === "list" ? GROUPS.map(([name, belongs]) => section(t(name), live.filter(belongs).sort(byLimit).map((o) => card(o, here)))) : null,
    mode === "list" ? rectification(findings, changes) : null,
    mode === "list" ? spotSection(spots, changes, here, redraw) : null,
    mode === "list" ? siteSection(sites, drafts, here, redraw) : null);
  if (held) main.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
}

/** The day as a map: the stops in the order of the route with numbers, the other sites without; the list below says the same. */
function dayMap(open, sites, kept, here, fixed) {
  const stops = stopsOf(open, kept, now()).map((stop, i) => ({ ...(stop.kind === "order" ? asPoint(stop.thing) : visitPoint(stop.thing)), key: `${stop.kind}-${stop.id}`, sign: String(i + 1), stop: true }));
  const stopped = new Set(stops.map((stop) => stop.site_id));
  const others = sites.filter((site) => !stopped.has(site.id)).map((site) => ({ ...sitePoint(site), key: `site-${site.id}`, sign: "" }));
  if (fixed.sketchy) return sketch([...stops, ...others], here);
  fixed.map ??= new GroundMap(t("Map of the day"));
  fixed.map.show([...stops, ...others], here, { way: true }).then((drawn) => {
    if (drawn || fixed.map.closed) return;
    fixed.sketchy = true;
    fill(fixed.map.below, sketch([...stops, ...others], here));
    fixed.map.node.remove();
  });
  fill(fixed.map.below, places(stops, here));
  return [fixed.map.node, fixed.map.below];
}

/** Said plainly where the work is done: that the desk sees where the crew is, or that it does not. */
function told(whereabouts) {
  const words = { on: [t("The desk sees where you are"), "blue"], off: [t("Switched off: the desk does not see where you are"), "orange"] }[whereabouts];
  return words ? el("a", { class: "whereabouts", href: "#/me" }, chip(words[0], words[1], "pin")) : null;
}

const byLimit = (a, b) => a.complaint.resolve_by.localeCompare(b.complaint.resolve_by) || a.id - b.id;
const section = (name, cards) => cards.length
  ? el("section", {}, el("h2", {}, name, el("span", { class: "count" }, String(cards.length))), cards) : null;

/** What an order is on the list: its clock, its place, where it stands. */
function card(order, here) {
  const { complaint } = order;
  const over = OVER.includes(order.status);
  const state = over ? "grey" : timeState(order.start, complaint.resolve_by, now());
  const pending = order.waiting.some((c) => c.state === "waiting");
  const held = order.waiting.some((c) => c.state === "held");
  const way = here && complaint.lon !== null ? wayTo(here, complaint) : null;
  return el("a", { class: `item ${state}`, href: `#/order/${order.id}`, dataset: { key: `order-${order.id}` } },
    el("strong", {}, complaint.place || complaint.hotline_no),
    el("span", { class: "line" }, categoryName(complaint), way ? ` · ${distance(way.metres)}` : ""),
    el("span", { class: "chips" },
      over ? null : chip(countdown(complaint.resolve_by), state, "clock"),
      chip(word("order", order.status)),
      acceptChip(order),
      order.gone ? chip(t("Withdrawn by the desk"), "red", "warn") : null,
      pending ? chip(t("to send"), "blue", "up") : null,
      held ? chip(t("needs you"), "orange", "warn") : null));
}

/** How long the crew has to accept it; once that has passed the desk has been told. */
export function acceptChip(order) {
  if (!order.mine || order.status !== "assigned" || !order.accept_by) return null;
  const left = new Date(order.accept_by).getTime() - now();
  return left > 0 ? chip(t("Accept within %(n)s min", { n: Math.ceil(left / 60_000) }), left < 180_000 ? "orange" : "blue", "clock") : chip(t("The time to accept has passed; accept now"), "red", "clock");
}

function siteSection(sites, drafts, here, redraw) {
  if (!sites.length) return null;
  const begun = new Map(drafts.filter((d) => d.site_id).map((d) => [d.site_id, d.state]));
  const near = (site) => (here ? wayTo(here, site).metres : 0);
  const wanted = sites.filter((s) => !search || `${s.name} ${s.code} ${s.unit ?? ""} ${s.area ?? ""}`.includes(search));
  const sorted = wanted.sort((a, b) => near(a) - near(b) || a.name.localeCompare(b.name)).slice(0, 50);
  const box = el("input", { id: "search", type: "search", placeholder: t("Find a site"), "aria-label": t("Find a site"), value: search,
    oninput: (event) => { search = event.target.value.trim(); }, onchange: (event) => { event.target.blur(); redraw(); } });
  return el("section", {}, el("h2", {}, t("Sites"), el("span", { class: "count" }, String(sites.length))),
    sites.length > 8 ? box : null,
    sorted.map((site) => siteCard(site, begun.get(site.id), here)),
    wanted.length > 50 ? el("p", { class: "soft" }, t("The nearest 50 of %(n)s are shown", { n: wanted.length })) : null,
    wanted.length ? null : el("p", { class: "soft" }, t("No site of that name.")));
}

function siteCard(site, state, here) {
  const mark = { draft: ["draft", ""], ready: ["to send", "blue"], sent: ["delivered", "green"] }[state];
  return el("button", { type: "button", class: "item grey", dataset: { key: `site-${site.id}` }, onclick: () => startAt(site) },
    el("strong", {}, site.name),
    el("span", { class: "line" }, [site.unit, site.area, here ? distance(wayTo(here, site).metres) : null].filter(Boolean).join(" · ")),
    el("span", { class: "chips" }, chip(word("scope", site.scope)), chip(word("stage", site.stage)),
      site.is_heating ? chip(t("heating works")) : null, mark ? chip(t(mark[0]), mark[1]) : null));
}

function startAt(site) {
  return begin({ site_id: site.id, title: site.name, place: site.area ?? "", scope: site.scope, stage: site.stage, heating: site.is_heating });
}

function empty(fresh) {
  return el("div", { class: "empty" }, icon("check", 48),
    el("strong", {}, fresh ? t("Nothing to do now") : t("Not loaded yet")),
    el("p", {}, fresh ? t("Orders appear here as soon as the desk assigns them. Last asked %(time)s.", { time: moment(new Date(fresh).toISOString()) })
      : t("Orders, sites and checklists are loaded when there is signal; then they are here all day.")),
    button(t("Ask again"), () => nudge({ hopeful: true, full: true }), { sign: "refresh" }));
}

const asPoint = (order) => ({ lon: order.complaint.lon, lat: order.complaint.lat, name: order.complaint.place,
  state: timeState(order.start, order.complaint.resolve_by, now()), href: `#/order/${order.id}`, kind: "order" });
const visitPoint = (visit) => ({ lon: visit.site.lon, lat: visit.site.lat, name: visit.site.name, state: "grey", kind: "site", site_id: visit.site.id, open: () => startAt(visit.site) });
const sitePoint = (site) => ({ lon: site.lon, lat: site.lat, name: site.name, state: "grey", kind: "site", open: () => startAt(site) });
