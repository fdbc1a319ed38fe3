// What is allowed, and what follows. Pure functions over the core's own tables, which the server gives as a module.
import tables from "/phone/rules.mjs";

export const RETURN_REASONS = tables.return_reasons;
export const STAGES = tables.stages;
export const SCOPES = ["yard", "indoor"];
export const PHOTO = { kinds: tables.photo_kinds, maxBytes: tables.photo_max_bytes, maxPixels: tables.photo_max_pixels };

/** The verbs an order in this status allows. */
export function steps(status) {
  return Object.keys(tables.order_steps).filter((verb) => tables.order_steps[verb].from.includes(status));
}

/** The order as it will be when what waits on this phone has been sent. */
export function withChanges(order, changes) {
  const waiting = changes.filter((c) => c.kind.startsWith("order.") && String(c.thing_id) === String(order.id));
  const seen = { ...order, waiting };
  for (const change of waiting) {
    const step = tables.order_steps[change.kind.slice("order.".length)];
    if (!step || change.state === "held") continue;
    seen.status = step.to;
    seen.version += 1;
  }
  return seen;
}

/** Why an item is not asked on this visit, as a code, or `null`. The first reason that holds. */
export function hidden(item, { scope, stage, heating }) {
  if (!item.scopes.includes(scope)) return "other_scope";
  if (item.heating_only && !heating) return "heating_only";
  if (item.completion_only && stage !== "after") return "completion_only";
  return STAGES.indexOf(item.stage) > STAGES.indexOf(stage) ? "not_yet" : null;
}

/** The items a visit asks. */
export function asked(items, visit) {
  return items.filter((item) => hidden(item, visit) === null);
}

/** Is it the household, not the inspector, who answers? */
export const byHousehold = (item) => item.evidence.startsWith("household");

/** What a "no" must carry: "photo", "note", or nothing. */
export function required(item) {
  if (item.evidence.startsWith("photo")) return "photo";
  return item.evidence === "household rating" ? null : "note";
}

/** What keeps one item from being complete: "unanswered", "photo", "note", or `null`. */
export function lacking(item, answer, photos) {
  if (!answer?.answer) return "unanswered";
  if (answer.answer !== "no") return null;
  const need = required(item);
  if (need === "photo") return photos > 0 ? null : "photo";
  return need === "note" && !answer.note?.trim() ? "note" : null;
}

/** Where a checklist stands: how many answered of how many asked, how many "no", and what is lacking where. */
export function progress(items, draft, photos) {
  const list = asked(items, draft);
  const counts = Object.groupBy ? Object.groupBy(photos, (p) => p.item_id) : group(photos);
  const gaps = list
    .map((item) => ({ item, gap: lacking(item, draft.answers[item.id], counts[item.id]?.length ?? 0) }))
    .filter(({ gap }) => gap !== null);
  const answered = list.filter((item) => draft.answers[item.id]?.answer);
  return {
    total: list.length,
    answered: answered.length,
    no: answered.filter((item) => draft.answers[item.id].answer === "no"),
    gaps,
    complete: gaps.length === 0 && list.length > 0,
  };
}

function group(photos) {
  const found = {};
  for (const photo of photos) (found[photo.item_id] ??= []).push(photo);
  return found;
}

/** The colour of a clock: share of the time that is gone, as everywhere in the house. */
export function timeState(start, limit, now) {
  if (!limit) return "grey";
  const end = Date.parse(limit);
  if (now >= end) return "red";
  const from = start ? Date.parse(start) : end - 6 * 3_600_000;
  const gone = end > from ? (now - from) / (end - from) : 1;
  return gone < 0.5 ? "green" : gone < 0.75 ? "yellow" : "orange";
}

/** How far a position can be trusted, as a colour. */
export function accuracyState(metres) {
  if (metres === null || metres === undefined) return "grey";
  return metres <= 20 ? "green" : metres <= 50 ? "yellow" : metres <= 100 ? "orange" : "red";
}

/** Metres and bearing (degrees from north) between two places given as `{lon, lat}`. */
export function wayTo(from, to) {
  const radians = Math.PI / 180;
  const [p1, p2] = [from.lat * radians, to.lat * radians];
  const dLon = (to.lon - from.lon) * radians;
  const h = Math.sin((p2 - p1) / 2) ** 2 + Math.cos(p1) * Math.cos(p2) * Math.sin(dLon / 2) ** 2;
  const y = Math.sin(dLon) * Math.cos(p2);
  const x = Math.cos(p1) * Math.sin(p2) - Math.sin(p1) * Math.cos(p2) * Math.cos(dLon);
  return { metres: 2 * 6371008.8 * Math.asin(Math.sqrt(h)), bearing: (Math.atan2(y, x) / radians + 360) % 360 };
}

/** Does this receipt name the change, so that the phone's copy of it may go? Its photos go one by one, each on its own. */
export function covers(receipt, change) {
  return Boolean(receipt) && receipt.change_sha256 === change.sha256;
}
