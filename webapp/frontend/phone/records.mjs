// 填报: what is being written, what waits to be sent, what needs the person, what has been delivered.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { db, recall, watch } from "./db.mjs";
import { checklistOf } from "./drafts.mjs";
import { head, tabs } from "./frame.mjs";
import { mergedWords } from "./merged.mjs";
import { changeName, reason } from "./names.mjs";
import { photosLeft, queue } from "./outbox.mjs";
import { GroundMap } from "./ground_map.mjs";
import { button, bytes, chip, choices, icon, moment, ring } from "./parts.mjs";
import { stateOf } from "./lists.mjs";
import { findStop } from "./patrol_kept.mjs";
import { follow, lastPosition } from "./position.mjs";
import { recordPoints } from "./records_map.mjs";
import { sketch } from "./sketch.mjs";
import { findSpot } from "./spot_kept.mjs";
import { nudge } from "./sync.mjs";

const SENT_SHOWN = 30;
const STATES = { draft: "In draft", ready: "Ready to send", sent: "Has been sent", failed: "Not accepted" };
const SIGNS = { draft: "✎", ready: "↑", sent: "✓", failed: "!" };
let mode = "list";

/** The screen. */
export function open(main) {
  tabs("#/fill");
  head(t("Records"));
  let data = null;
  const fixed = { map: null };
  const draw = () => data && show(main, data, fixed, draw);
  const stops = [watch(load, (found) => { data = found; draw(); }), follow(() => mode === "map" && draw()), () => fixed.map?.close()];
  return () => { for (const stop of stops) stop(); };
}

async function load() {
  const [changes, drafts, sent, me] = await Promise.all([queue(), db.drafts.toArray(), db.sent.orderBy("sent_at").reverse().limit(SENT_SHOWN).toArray(), recall("me")]);
  const titled = await Promise.all(changes.map((change) => describe(change, drafts)));
  const writing = await Promise.all(drafts.filter((d) => d.state === "draft").map(async (draft) => {
    const photos = await db.photos.where("inspection_id").equals(draft.id).toArray();
    const list = await checklistOf(draft);
    const { answered, total } = list ? stateOf(list, draft, photos) : { answered: 0, total: 0 };
    return { draft, answered, total, photos: photos.length };
  }));
  const waiting = await photosLeft();
  for (const line of sent) {
    const its = waiting.filter((photo) => `inspection:${photo.inspection_id}` === line.thing);
    Object.assign(line, { left: its.length, refused: its.find((photo) => photo.refused)?.refused ?? null });
  }
  const [photos, orders, sites] = await Promise.all([db.photos.toArray(), db.orders.toArray(), db.sites.toArray()]);
  return { changes: titled, writing, sent, drafts, me, points: recordPoints({ drafts, changes: titled, sent, photos, orders, sites }) };
}

/** A change with its title and what it weighs. */
export async function describe(change, drafts) {
  const kind = changeName(change.kind);
  if (change.kind === "inspection.submit") {
    const draft = drafts.find((d) => d.id === change.payload.inspection_id);
    const photos = await db.photos.where("inspection_id").equals(change.payload.inspection_id).toArray();
    return { ...change, title: draft?.title ?? t("Checklist"), about: kind, photos: photos.length, unsent: photos.filter((p) => !p.sent_at).length,
      size: photos.reduce((sum, p) => sum + p.size, 0), refusedPhoto: photos.find((p) => p.refused)?.refused ?? null };
  }
  if (change.kind.startsWith("finding.")) {
    const finding = (await recall("findings", [])).find((one) => one.id === change.thing_id);
    return { ...change, title: finding ? `${finding.item_id} ${finding.place}` : kind, about: kind, photos: change.payload.photos.length, unsent: 0, size: 0, refusedPhoto: null };
  }
  if (change.kind.startsWith("patrol.")) {
    const { stop } = await findStop(Number(change.thing_id));
    return { ...change, title: stop?.name ?? kind, about: kind, photos: 0, unsent: 0, size: 0, refusedPhoto: null };
  }
  if (change.kind === "spot.verify" || change.kind === "signal.measure") {
    const spot = change.thing_id ? await findSpot(change.thing_id) : null;
    return { ...change, title: spot?.title ?? (change.payload.rsrp_dbm === undefined ? kind : `${change.payload.rsrp_dbm} dBm`), about: kind, photos: change.payload.photos?.length ?? 0, unsent: 0, size: 0, refusedPhoto: null };
  }
  if (change.kind === "inspection.amend") {
    const draft = drafts.find((d) => d.id === change.payload.inspection_id) ?? (await db.drafts.get(change.payload.inspection_id));
    return { ...change, title: draft?.title ?? t("Checklist"), about: kind, photos: change.payload.photos?.length ?? 0, unsent: 0, size: 0, refusedPhoto: null };
  }
  const order = await db.orders.get(Number(change.thing_id));
  return { ...change, title: order?.complaint.place || order?.order_no || t("Order"), about: kind, photos: 0, unsent: 0, size: 0, refusedPhoto: null };
}

function show(main, { changes, writing, sent, drafts, me, points }, fixed, redraw) {
  const held = changes.filter((c) => c.state === "held");
  const waiting = changes.filter((c) => c.state === "waiting");
  if (!changes.length && !writing.length && !sent.length) {
    return fill(main, el("div", { class: "empty" }, icon("fill", 48), el("strong", {}, t("Nothing written yet")),
      el("p", {}, t("Start a checklist from an order or a site under 'My day'. It is kept here at every tap.")), el("a", { class: "big button primary", href: "#/today" }, t("My day"))));
  }
  const switcher = choices(t("View"), [["list", t("List")], ["map", t("Map")]], mode, (value) => { mode = value; redraw(); });
  if (mode === "map") {
    const map = recordMap(points, fixed);
    return fixed.map.open ? undefined : fill(main, switcher, map);
  }
  fill(main, switcher,
    section(t("Needs you"), "orange", held.map((c) => row(c, me))),
    section(t("Drafts"), "grey", writing.sort((a, b) => b.draft.touched_at.localeCompare(a.draft.touched_at)).map(draftRow)),
    section(t("To send"), "blue", waiting.map((c) => row(c, me)), waiting.length ? button(t("Send now"), () => nudge({ hopeful: true }), { sign: "up" }) : null),
    section(t("Delivered"), "green", sent.map((line) => delivered(line, drafts))));
}

/** Own records on the map by their state; each state has a colour, a sign and a word, and the list below has them all. */
function recordMap(points, fixed) {
  const placed = points.filter((point) => point.lon !== null);
  const marks = placed.map((point) => ({ ...point, sign: SIGNS[point.state], name: `${t(STATES[point.state])}${t(": ")}${point.name}` }));
  const counts = Object.keys(STATES).map((state) => [state, points.filter((point) => point.state === state).length]);
  fixed.map ??= new GroundMap(t("Map of my records"));
  if (!fixed.sketchy) {
    fixed.map.show(marks, lastPosition()).then((drawn) => {
      if (drawn || fixed.map.closed) return;
      fixed.sketchy = true;
      fixed.map.node.replaceWith(...[sketch(marks, lastPosition())].flat());
    });
  }
  fill(fixed.map.below,
    el("p", { class: "chips" }, counts.filter(([, n]) => n).map(([state, n]) => el("span", { class: `chip state ${state}` }, `${SIGNS[state]} ${t(STATES[state])} ${n}`))),
    points.length > placed.length ? el("p", { class: "soft small" }, t("Without a known place: %(n)s", { n: points.length - placed.length })) : null,
    el("ol", { class: "places" }, points.map((point) => el("li", {}, el("a", { class: "item line", href: point.href },
      el("span", { class: `chip state ${point.state}` }, `${SIGNS[point.state]} ${t(STATES[point.state])}`), el("span", { class: "grow" }, point.name), el("span", { class: "soft small" }, moment(point.at)))))));
  return fixed.sketchy ? [sketch(marks, lastPosition()), fixed.map.below] : [fixed.map.node, fixed.map.below];
}

const section = (name, colour, rows, more = null) => rows.length
  ? el("section", { class: `group ${colour}` }, el("h2", {}, name, el("span", { class: "count" }, String(rows.length))), rows, more) : null;

function draftRow({ draft, answered, total, photos }) {
  return el("a", { class: "item row", href: `#/check/${draft.id}/${draft.page}` }, ring(answered, total, 48),
    el("span", { class: "grow" }, el("strong", {}, draft.title), el("span", { class: "line" }, t("Last answer %(time)s · photos: %(n)s", { time: moment(draft.touched_at), n: photos }))));
}

function row(change, me) {
  const others = change.user_id !== null && change.user_id !== me?.id;
  return el("a", { class: "item", href: `#/change/${change.id}`, dataset: { change: change.kind } },
    el("strong", {}, change.title),
    el("span", { class: "line" }, `${change.about} · ${moment(change.at)}`),
    el("span", { class: "chips" },
      change.state === "held" ? chip(change.code === "change_differs" ? t("two versions") : t("refused"), "orange", "warn") : chip(t("to send"), "blue", "up"),
      change.photos ? chip(t("Photos: %(n)s, %(size)s", { n: change.photos, size: bytes(change.size) }), "", "camera") : null,
      others ? chip(t("made by somebody else"), "red", "people") : null,
      change.attempts && change.state === "waiting" ? chip(t("tried %(n)s times", { n: change.attempts })) : null),
    change.state === "held" ? el("span", { class: "why" }, reason(change)) : null);
}

function delivered(line, drafts) {
  const draft = line.kind === "inspection.submit" ? drafts.find((d) => d.change_id === line.id) : null;
  return el(draft ? "a" : "div", { class: "item sent", href: draft ? `#/change/${line.id}` : null, dataset: { sent: line.kind } },
    el("strong", {}, draft?.title || line.title || changeName(line.kind)),
    el("span", { class: "line" }, `${changeName(line.kind)} · ${t("delivered %(time)s", { time: moment(line.sent_at) })}`),
    line.merged?.length ? el("span", { class: "line merged" }, icon("people", 18), " ", mergedWords(line.kind, line.merged)) : null,
    draft ? el("span", { class: "chips" }, chip(t("Answers: %(n)s", { n: draft.answered }), "green", "check"), draft.no ? chip(t("'No': %(n)s", { n: draft.no }), "orange") : null, line.left ? chip(t("photos left: %(n)s", { n: line.left }), "blue", "camera") : null, line.refused ? chip(line.refused, "orange", "warn") : null,
      draft.photos ? chip(t("Photos: %(n)s", { n: draft.photos }), "", "camera") : null) : null);
}
