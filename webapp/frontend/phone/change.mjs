// One change of the queue: what exactly will be sent, and, when it was refused, why and what can be done about it.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { db, recall, watch } from "./db.mjs";
import { checklistOf, correct, photosOf } from "./drafts.mjs";
import { correctable, differenceLines, differences } from "./correction.mjs";
import { bar, head } from "./frame.mjs";
import { accuracy, gallery } from "./gallery.mjs";
import { itemsOf } from "./form_rules.mjs";
import { nameOf } from "./lists.mjs";
import { mergedWords } from "./merged.mjs";
import { answerName, reason } from "./names.mjs";
import { canWithdraw, rebase, withdraw } from "./outbox.mjs";
import { button, chip, icon, moment, sure, toast } from "./parts.mjs";
import { describe } from "./records.mjs";
import { exportQueue } from "./rescue.mjs";
import { withChanges } from "./rules.mjs";
import { changeWords as spotWords } from "./spot.mjs";
import { changeWords } from "./stop.mjs";
import { nudge } from "./sync.mjs";

/** The screen. */
export function open(main, id) {
  main.className = "change";
  return watch(() => load(id), (found) => show(main, found));
}

async function load(id) {
  const raw = await db.outbox.where("id").equals(id).first();
  if (!raw) return delivered(id);
  const draft = raw.kind.startsWith("inspection.") ? await db.drafts.get(raw.payload.inspection_id) : null;
  return {
    change: await describe(raw, draft ? [draft] : []), draft, list: draft?.checklist_code ? await checklistOf(draft) : null,
    photos: draft ? await photosOf(draft.id) : [], me: await recall("me"), told: raw.kind.startsWith("patrol.") ? await changeWords(raw) : /^(spot|signal)\./.test(raw.kind) ? spotWords(raw) : null,
  };
}

/** What was delivered, as far as this phone still knows it: its answers, and the corrections that wait to follow it. */
async function delivered(id) {
  const draft = await db.drafts.filter((one) => one.change_id === id).first();
  const waiting = draft ? (await db.outbox.where("thing").equals(`inspection:${draft.id}`).toArray()).filter((change) => change.kind === "inspection.amend") : [];
  return { sent: (await db.sent.get(id)) ?? null, draft: draft ?? null, waiting, list: draft?.checklist_code ? await checklistOf(draft) : null };
}

function showDelivered(main, { sent, draft, list, waiting }) {
  const open = correctable(draft, list);
  bar(el("a", { class: "big button wide", href: "#/fill" }, t("Records")), open ? el("a", { class: "big button wide", href: `#/correct/${draft.id}` }, icon("note"), t("Correct")) : null);
  const told = sent ? t("Delivered %(time)s.", { time: moment(sent.sent_at) }) : t("This change is no longer on this phone.");
  if (!open) return fill(main, el("p", { class: "empty" }, told));
  fill(main,
    el("section", { class: "panel" }, el("h2", {}, draft.title), el("p", { class: "chips" }, chip(told, "green", "check"), draft.version > 1 ? chip(t("version %(n)s", { n: draft.version })) : null,
      draft.disputed ? chip(t("the desk decides between two corrections"), "orange", "warn") : null),
      draft.merged?.length ? el("p", { class: "notice merged" }, icon("people", 18), " ", mergedWords("inspection.amend", draft.merged)) : null,
      waiting.map((change) => el("a", { class: "item line", href: `#/change/${change.id}` }, el("span", { class: "grow" }, t("Correction of what was sent")), chip(t("to send"), "blue", "up")))),
    answers({ payload: draft }, list, []));
}

function show(main, found) {
  const { change, draft, list, photos, me } = found;
  head(!change ? t("Delivered") : change.state === "held" ? t("Needs you") : t("To send"), { back: "#/fill" });
  if (!change) return showDelivered(main, found);
  const others = change.user_id !== null && change.user_id !== me?.id;
  fill(main,
    el("section", { class: "panel" }, el("h2", {}, change.title),
      el("p", { class: "chips" }, chip(change.about), chip(moment(change.at), "", "clock"), change.state === "held" ? chip(t("refused"), "orange", "warn") : chip(t("to send"), "blue", "up")),
      change.state === "held" ? el("p", { class: "notice error" }, icon("warn", 18), " ", reason(change)) : null,
      change.state === "waiting" && change.detail ? el("p", { class: "notice warn" }, t("Last answer: %(why)s", { why: change.detail })) : null,
      change.state === "waiting" && change.uncertain ? el("p", { class: "notice" }, t("It has been sent once; whether it arrived is not known yet. It can be corrected when the answer is there.")) : null,
      others ? el("p", { class: "notice error" }, t("Made by somebody else on this phone. It is sent when that person enrols again, or exported to a file.")) : null),
    change.kind === "inspection.amend" ? corrected(change, draft, list) : list ? answers(change, list, photos) : found.told ?? words(change), technical(change));
  actions(change, draft, others);
}

/** A correction before it is sent: what stood, what is to stand, and why. */
function corrected(change, draft, list) {
  const { payload } = change;
  const strip = payload.photos?.length ? chip(t("Photos: %(n)s", { n: payload.photos.length }), "", "camera") : null;
  return el("section", { class: "panel" }, el("h3", {}, t("What will be sent")), correctable(draft, list) ? differenceLines(list, differences(draft, payload)) : null,
    el("p", { class: "text" }, payload.reason), strip);
}

function words(change) {
  const { reason: code, note, position } = change.payload;
  const step = el("p", { class: "chips" });
  moved(change).then((seen) => seen && fill(step, chip(word("order", seen.from)), icon("next", 18), chip(word("order", seen.to), "blue")));
  return el("section", { class: "panel" }, step, el("dl", {},
    code ? [el("dt", {}, t("Reason")), el("dd", {}, word("reason", code))] : null,
    el("dt", {}, t("Note")), el("dd", {}, note || "—"),
    position ? [el("dt", {}, t("Position")), el("dd", {}, accuracy(position))] : null));
}

/** From which state an order goes to which by this change, after those of this phone that are before it; `null` when unknown. */
async function moved(change) {
  const order = change.kind.startsWith("order.") ? await db.orders.get(Number(change.thing_id)) : null;
  if (!order) return null;
  const same = await db.outbox.where("thing").equals(change.thing).sortBy("seq");
  const before = withChanges(order, same.filter((one) => one.seq < change.seq));
  return { from: before.status, to: withChanges(before, [{ ...change, state: "waiting" }]).status };
}

function answers(change, list, photos) {
  const { payload } = change;
  const items = new Map(list.form ? itemsOf(list.form).map(({ item }) => [item.name, item]) : list.items.map((item) => [item.id, item]));
  const strip = el("div", { class: "strip" });
  gallery(strip, photos, { removable: false });
  return el("section", { class: "panel" },
    el("p", { class: "chips" }, payload.scope ? chip(word("scope", payload.scope)) : chip(list.name), payload.stage ? chip(word("stage", payload.stage)) : null, accuracy(payload.position)),
    payload.note ? el("p", { class: "text" }, payload.note) : null, strip,
    el("table", {}, el("caption", { class: "visually-hidden" }, t("Answers")), payload.answers.map((given) => el("tr", {},
      el("th", { scope: "row" }, list.form ? "" : given.item_id), el("td", {}, items.has(given.item_id) ? nameOf(list, items.get(given.item_id)) : "", given.note ? el("em", { class: "soft" }, ` ${given.note}`) : null),
      el("td", {}, given.value ? given.value : chip(answerName(given.answer), { no: "orange", yes: "green" }[given.answer] ?? ""))))));
}

function technical(change) {
  return el("details", { class: "away" }, el("summary", {}, t("Technical")),
    el("dl", {}, el("dt", {}, "id"), el("dd", {}, change.id), el("dt", {}, "sha256"), el("dd", {}, change.sha256), el("dt", {}, "code"), el("dd", {}, change.code ?? "—"),
      el("dt", {}, "base_version"), el("dd", {}, String(change.base_version ?? "—"))));
}

function actions(change, draft, others) {
  const held = change.state === "held";
  const free = held || canWithdraw(change);
  const inspection = change.kind === "inspection.submit";
  bar(
    held ? button(t("Discard"), () => discard(change), { kind: "danger quiet" }) : null,
    held || others ? button(t("To a file"), () => exportQueue(), { kind: "quiet" }) : null,
    inspection && draft && free ? button(t("Correct"), () => correctIt(change), { sign: "note", kind: held ? "primary" : "" }) : null,
    held && !inspection ? button(t("Try again"), () => again(change), { kind: "primary" }) : null,
    !held && !inspection && free ? button(t("Take back"), () => takeBack(change)) : null,
    !held && !others ? button(t("Send now"), () => nudge({ hopeful: true }), { kind: "primary", sign: "up" }) : null);
}

async function correctIt(change) {
  const id = change.payload.inspection_id;
  if (change.state === "held") await db.outbox.update(change.seq, { uncertain: false });
  if (!(await correct(id))) return toast(t("It is already on its way and can no longer be taken back."), "error");
  location.hash = `#/check/${id}/1`;
}

async function takeBack(change) {
  if (!(await withdraw(change))) return toast(t("It is already on its way and can no longer be taken back."), "error");
  location.hash = "#/fill";
}

/** The server wrote its refusal down under the old id; a new attempt is a new change, on the order as it is now. */
async function again(change) {
  const order = await db.orders.get(Number(change.thing_id));
  await rebase(change, order ? order.version : change.base_version);
  await nudge({ hopeful: true });
}

async function discard(change) {
  const text = change.photos ? t("It was not accepted, and its photos (%(n)s) are only on this phone.", { n: change.photos }) : t("It was not accepted by the server.");
  if (!(await sure(t("Discard for good?"), text, t("Discard")))) return;
  await db.transaction("rw", db.outbox, db.drafts, db.photos, async () => {
    await db.outbox.delete(change.seq);
    if (change.kind !== "inspection.submit") return;
    await db.photos.where("inspection_id").equals(change.payload.inspection_id).delete();
    await db.drafts.delete(change.payload.inspection_id);
  });
  location.hash = "#/fill";
}
