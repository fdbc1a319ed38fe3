// 现场核实: a blind spot, a weak signal spot or an unserved area, seen on foot: how many cameras there are now, how strong the
// signal is, what was seen, with photos. Without signal it waits in the queue like every other change.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { db, recall, remember, watch } from "./db.mjs";
import { addPhotos, photosOf } from "./drafts.mjs";
import { bar, head } from "./frame.mjs";
import { gallery } from "./gallery.mjs";
import { enqueue } from "./outbox.mjs";
import { button, chip, distance, icon, toast } from "./parts.mjs";
import { numberOf } from "./patrol_rules.mjs";
import { follow, lastPosition } from "./position.mjs";
import { wayTo } from "./rules.mjs";
import { findSpot } from "./spot_kept.mjs";
import { countOf, slug, told, waiting } from "./spot_rules.mjs";
import { nudge } from "./sync.mjs";

export const DBM_LEAST = -160, DBM_MOST = -20;
const CAMERAS_MOST = 1000, PHOTOS_MOST = 6, SHOWN = 5;
let all = false;

/** The list on the day's page. */
export function section(spots, changes, here, redraw) {
  const list = waiting(spots, changes, here);
  if (!list.length) return null;
  return el("section", { class: "spots" }, el("h2", {}, t("To verify on foot"), el("span", { class: "count" }, String(list.length))),
    list.slice(0, all ? list.length : SHOWN).map((spot) => card(spot, changes, here)),
    list.length > SHOWN ? button(all ? t("Show fewer places") : t("Show all %(n)s places", { n: list.length }), () => { all = !all; redraw(); }, { kind: "quiet" }) : null);
}

function card(spot, changes, here) {
  const own = told(spot, changes);
  return el("a", { class: `item ${spot.state === "reported" ? "orange" : "grey"}`, href: `#/spot/${slug(spot.id)}`, dataset: { key: `spot-${slug(spot.id)}` } },
    el("strong", {}, spot.title), between(spot) ? el("span", { class: "line" }, between(spot)) : null,
    el("span", { class: "chips" }, chip(word("spot_kind", spot.kind)), chip(word("spot_origin", spot.origin)), spot.metres ? chip(distance(spot.metres)) : null,
      here ? chip(t("%(way)s away", { way: distance(wayTo(here, spot).metres) }), "", "pin") : null, own.length ? chip(own.at(-1).state === "held" ? t("needs you") : t("to send"), own.at(-1).state === "held" ? "orange" : "blue", "up") : null));
}

/** 由浣笔泉路中区区委宿舍向北至红星八号 */
const between = (spot) => (spot.kind === "blind_spot" ? t("from %(a)s %(way)s to %(b)s", { a: spot.from_landmark || "—", way: spot.heading ? word("heading", spot.heading).toLowerCase() : "", b: spot.to_landmark || "—" }) : "");
const owner = (id) => `spot:${id}`; // under which name this phone keeps the photos until they are sent
const keyOf = (id) => `spot-draft:${id}`;

/** The screen. What is typed and photographed stays, also when the app is killed. */
export async function open(main, kind, number) {
  const id = `${kind}:${number}`;
  const draft = (await recall(keyOf(id))) ?? { cameras: "", rsrp: "", note: "" };
  const keep = () => remember(keyOf(id), draft);
  const typed = (name, attributes) => { const box = el(attributes.rows ? "textarea" : "input", { ...attributes, oninput: () => { draft[name] = box.value; keep(); } }); box.value = draft[name]; return box; };
  const parts = {
    cameras: typed("cameras", { id: "cameras", inputmode: "numeric", maxlength: "4", autocomplete: "off" }),
    rsrp: typed("rsrp", { id: "rsrp", inputmode: "text", maxlength: "6", autocomplete: "off", placeholder: "-105" }),
    note: typed("note", { id: "spot-note", rows: "3", maxlength: "2000" }), strip: el("div", { class: "strip" }),
  };
  const stops = [watch(() => load(id), (found) => show(main, { ...found, id, draft }, parts)), follow(() => {})];
  return () => { for (const stop of stops) stop(); };
}

async function load(id) {
  const [spot, changes, photos] = await Promise.all([findSpot(id), db.outbox.where("thing").equals(owner(id)).toArray(), photosOf(owner(id))]);
  return { spot, changes, photos };
}

function show(main, found, parts) {
  const { spot, changes, photos } = found;
  head(spot?.title ?? t("To verify on foot"), { back: "#/today" });
  if (!spot || (!changes.length && !["reported", "found"].includes(spot.state))) {
    bar(el("a", { class: "big button wide", href: "#/today" }, t("My day")));
    return fill(main, el("p", { class: "empty" }, el("strong", {}, t("This place does not wait for you any more.")), t("It was verified, or the desk settled it. What you told of it is kept and sent.")));
  }
  gallery(parts.strip, photos, { removable: !changes.length });
  fill(main, el("section", { class: "panel" }, between(spot) ? el("h2", {}, between(spot)) : el("h2", {}, spot.title),
    el("p", { class: "chips" }, chip(word("spot_kind", spot.kind)), chip(word("spot_origin", spot.origin)), spot.metres ? chip(distance(spot.metres)) : null)),
    changes.length ? sentWords(changes.at(-1)) : fields(spot, parts));
  if (changes.length) bar(el("a", { class: "big button wide", href: changes.at(-1).state === "held" ? `#/change/${changes.at(-1).id}` : "#/fill" }, changes.at(-1).state === "held" ? t("Needs you") : t("Records")));
  else bar(button(t("Verified on the spot"), () => send(found, photos), { kind: "primary", sign: "check" }));
}

function fields(spot, parts) {
  return el("section", { class: "panel" },
    spot.kind === "blind_spot" ? el("div", { class: "reading" }, el("label", { for: "cameras" }, el("strong", {}, t("How many cameras are there now?"))), parts.cameras) : null,
    spot.kind === "weak_signal_spot" ? el("div", { class: "reading" }, el("label", { for: "rsrp" }, el("strong", {}, t("How strong is the signal? (RSRP)"))), el("div", { class: "row" }, parts.rsrp, el("span", { class: "unit" }, "dBm"))) : null,
    el("label", { for: "spot-note" }, t("What was seen there")), parts.note, camera(spot.id), parts.strip);
}

const sentWords = (change) => el("section", { class: "panel" }, change.state === "held" ? null : el("p", { class: "notice" }, icon("up", 18), " ", t("It waits to be sent.")), lines(change));

function lines({ payload }) {
  return el("dl", {}, payload.cameras === undefined ? null : [el("dt", {}, t("Cameras there")), el("dd", {}, String(payload.cameras))],
    payload.rsrp_dbm === undefined ? null : [el("dt", {}, "RSRP"), el("dd", {}, `${payload.rsrp_dbm} dBm`)], payload.operator ? [el("dt", {}, t("Mobile operator")), el("dd", {}, payload.operator)] : null,
    payload.note ? [el("dt", {}, t("Note")), el("dd", {}, payload.note)] : null, payload.photos?.length ? [el("dt", {}, t("Photos")), el("dd", {}, String(payload.photos.length))] : null);
}

/** A change of a spot or a sample in words: what will be sent. */
export const changeWords = (change) => el("section", { class: "panel" }, lines(change));

async function send({ spot, draft, id }, photos) {
  const cameras = countOf(draft.cameras, CAMERAS_MOST);
  const rsrp = draft.rsrp.trim() ? numberOf(draft.rsrp) : null;
  if (spot.kind === "blind_spot" && cameras === null) return wanting("cameras", t("Write how many cameras are there now, 0 if none."));
  if (draft.rsrp.trim() && (rsrp === null || rsrp < DBM_LEAST || rsrp > DBM_MOST)) return wanting("rsrp", t("RSRP lies between −160 and −20 dBm."));
  if (cameras === null && rsrp === null && !draft.note.trim()) return wanting("spot-note", t("Write what was seen there."));
  if (photos.length > PHOTOS_MOST) return wanting("spot-note", t("At most %(n)s photos go with it; take some away.", { n: PHOTOS_MOST }));
  const here = lastPosition();
  await enqueue("spot.verify", id, spot.version, {
    ...(spot.kind === "blind_spot" ? { cameras } : {}), ...(rsrp === null ? {} : { rsrp_dbm: rsrp }), note: draft.note.trim(),
    photos: photos.map(({ sha256, taken_at }) => ({ sha256, taken_at })), ...(here ? { position: { lon: here.lon, lat: here.lat, accuracy_m: here.accuracy_m ?? null } } : {}),
  }, { photosOf: owner(id) });
  await remember(keyOf(id), null);
  location.hash = "#/today";
  await nudge({ hopeful: true });
}

function wanting(id, sentence) {
  toast(sentence, "error");
  document.getElementById(id)?.focus();
}

function camera(id) {
  const input = el("input", { type: "file", accept: "image/*", multiple: true, class: "visually-hidden", onchange: async (event) => {
    try {
      await addPhotos({ id: owner(id) }, "", [...event.target.files]);
    } catch (error) {
      toast(error.message, "error");
    }
    event.target.value = "";
  } });
  return el("label", { class: "big button" }, icon("camera"), t("Take photos"), input);
}
