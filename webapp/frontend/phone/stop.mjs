// One stop of a patrol: its points with what they should show; a value outside its band is told while it is typed.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { nowIso } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { bar, head } from "./frame.mjs";
import { enqueue } from "./outbox.mjs";
import { button, chip, moment, sheet, toast } from "./parts.mjs";
import { findStop } from "./patrol_kept.mjs";
import { judged, numberOf, standing } from "./patrol_rules.mjs";
import { lastPosition } from "./position.mjs";
import { nudge } from "./sync.mjs";

const keyOf = (id) => `stop-draft:${id}`;
const SAID = {
  wrong: [() => t("This is not a number."), "red"], impossible: [() => t("No instrument can mean this value."), "red"],
  low: [() => t("Too low: tell the desk if it is dangerous."), "red"], high: [() => t("Too high: tell the desk if it is dangerous."), "red"], fine: [() => t("as it should be"), "green"],
};

/** The screen. What is typed is kept at every letter, and is there again when the phone comes back. */
export async function open(main, id) {
  const number = Number(id);
  const { patrol, stop } = await findStop(number);
  const changes = await db.outbox.where("thing").equals(`patrol:${number}`).toArray();
  head(stop?.name ?? t("Patrol"), { back: patrol ? `#/patrol/${patrol.id}` : "#/today" });
  if (!stop) {
    bar(el("a", { class: "big button wide", href: "#/today" }, t("My day")));
    return void fill(main, el("p", { class: "empty" }, el("strong", {}, t("This patrol is not on this phone any more.")), t("What you told of it is kept and sent.")));
  }
  const state = standing(stop, changes);
  if (state !== "waiting") return void told(main, patrol, stop, state, changes);
  const draft = (await recall(keyOf(number))) ?? { values: {}, note: "" };
  const keep = () => remember(keyOf(number), draft);
  const note = el("textarea", { id: "stop-note", rows: "2", maxlength: "1000", oninput: (event) => { draft.note = event.target.value; keep(); } });
  note.value = draft.note;
  fill(main, el("section", { class: "panel readings" }, stop.points.length ? stop.points.map((point) => field(point, draft, keep)) : el("p", { class: "soft" }, t("There is no measuring point here: look at the place and write what you see."))),
    el("section", { class: "panel" }, el("label", { for: "stop-note" }, t("Note")), note));
  bar(button(t("Not visited"), () => skip(patrol, stop)), button(t("Keep the readings"), () => send(patrol, stop, draft), { kind: "primary", sign: "check" }));
}

function told(main, patrol, stop, state, changes) {
  const change = changes.at(-1);
  fill(main, el("section", { class: "panel" }, el("p", { class: "chips" }, chip(word("stop", state), state === "visited" ? "green" : "orange"), change ? chip(t("to send"), "blue", "up") : null),
    change?.payload.readings?.length ? el("ul", {}, change.payload.readings.map((read) => { const point = stop.points.find((one) => one.id === read.point_id); return el("li", {}, `${point?.name ?? ""} ${read.value} ${point?.unit ?? ""}`); })) : null,
    change?.payload.note ? el("p", { class: "text" }, change.payload.note) : null));
  bar(change?.state === "held" ? el("a", { class: "big button wide", href: `#/change/${change.id}` }, t("Needs you")) : el("a", { class: "big button wide", href: `#/patrol/${patrol.id}` }, t("Patrol")));
}

function field(point, draft, keep) {
  const verdict = el("p", { class: "verdict", role: "status", id: `verdict-${point.id}` });
  const input = el("input", { id: `point-${point.id}`, inputmode: "decimal", autocomplete: "off", maxlength: "12", "aria-describedby": `verdict-${point.id}`, dataset: { point: point.id }, oninput: () => {
    draft.values[point.id] = { typed: input.value, at: nowIso() };
    keep();
    judge();
  } });
  const judge = () => {
    const found = judged(input.value, point);
    input.setAttribute("aria-invalid", String(found !== "fine" && found !== "empty"));
    input.dataset.verdict = found;
    fill(verdict, SAID[found] ? chip(SAID[found][0](), SAID[found][1], found === "fine" ? "check" : "warn") : null);
  };
  input.value = draft.values[point.id]?.typed ?? "";
  judge();
  return el("div", { class: "reading" }, el("label", { for: `point-${point.id}` }, el("strong", {}, `${word("point_side", point.side)} · ${word("quantity", point.quantity)}`), el("span", { class: "soft" }, ` ${point.name}`)),
    el("div", { class: "row" }, input, el("span", { class: "unit" }, point.unit)),
    el("p", { class: "soft small" }, point.bands.map(between).join("; ") || t("no band is set"), point.last ? ` · ${t("last %(value)s at %(time)s", { value: point.last.value, time: moment(point.last.at) })}` : ""), verdict);
}

function between({ low, high, beside }) {
  const limits = low === null ? t("at most %(high)s", { high }) : high === null ? t("at least %(low)s", { low }) : t("%(low)s to %(high)s", { low, high });
  return beside === null ? limits : `${limits} ${t("(by %(n)s °C outdoors)", { n: beside })}`;
}

async function send(patrol, stop, draft) {
  const read = stop.points.map((point) => [point, draft.values[point.id]?.typed ?? ""]).filter(([, typed]) => String(typed).trim());
  const bad = read.find(([point, typed]) => ["wrong", "impossible"].includes(judged(typed, point)));
  if (bad) {
    document.getElementById(`point-${bad[0].id}`).focus();
    return toast(t("Correct the marked value first."), "error");
  }
  if (!read.length && stop.points.length && !draft.note.trim()) return toast(t("Enter what you read, or write a note."), "error");
  const readings = read.map(([point, typed]) => ({ point_id: point.id, value: numberOf(typed), at: draft.values[point.id].at }));
  const here = lastPosition();
  const position = here ? { position: { lon: here.lon, lat: here.lat, accuracy_m: here.accuracy_m ?? null } } : {};
  await enqueue("patrol.visit", stop.id, stop.version, { readings, note: draft.note.trim(), ...position });
  await away(patrol, stop);
}

async function skip(patrol, stop) {
  const reason = await sheet(t("Not visited"), (close) => {
    const said = el("textarea", { rows: "2", maxlength: "1000", "aria-label": t("Why was it not visited?") });
    return [el("label", {}, t("Why was it not visited?"), said), el("div", { class: "stack" }, button(t("Tell the desk"), () => (said.value.trim() ? close(said.value.trim()) : said.focus()), { kind: "primary" }), button(t("Back"), () => close()))];
  });
  if (!reason) return;
  await enqueue("patrol.skip", stop.id, stop.version, { note: reason });
  await away(patrol, stop);
}

async function away(patrol, stop) {
  await remember(keyOf(stop.id), null);
  location.hash = `#/patrol/${patrol.id}`;
  await nudge({ hopeful: true });
}

/** A change of a stop in words: what will be sent. */
export async function changeWords(change) {
  const { stop } = await findStop(Number(change.thing_id));
  const name = (id) => { const point = stop?.points.find((one) => one.id === id); return point ? `${word("point_side", point.side)} · ${word("quantity", point.quantity)}` : String(id); };
  return el("section", { class: "panel" }, el("dl", {}, (change.payload.readings ?? []).map((read) => [el("dt", {}, name(read.point_id)), el("dd", {}, `${read.value} ${stop?.points.find((one) => one.id === read.point_id)?.unit ?? ""}`)]),
    el("dt", {}, t("Note")), el("dd", {}, change.payload.note || "—")));
}

