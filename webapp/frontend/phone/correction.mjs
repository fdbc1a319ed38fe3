// A checklist that was sent is put right: only what is to be otherwise goes, with a reason, and the desk keeps both. What is
// being corrected lies on the disk at every tap, like a draft.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { tidy, wellFormed } from "./canonical.mjs";
import { db, recall, remember } from "./db.mjs";
import { addPhotos, checklistOf, photosOf } from "./drafts.mjs";
import { bar, head, instead } from "./frame.mjs";
import { gallery } from "./gallery.mjs";
import { answerName, itemText, pledgeName } from "./names.mjs";
import { amend, queueing, thingOf } from "./outbox.mjs";
import { button, chip, icon, toast } from "./parts.mjs";
import { follow } from "./position.mjs";
import { required } from "./rules.mjs";
import { nudge } from "./sync.mjs";

const keyOf = (id) => `correction ${id}`;
const ownerOf = (id) => `correct:${id}`; // under which name its photos lie until it is queued

/** Can this sent checklist be corrected on this phone? Only while it knows what was answered. */
export const correctable = (draft, list) => draft?.state === "sent" && Array.isArray(draft.answers) && Boolean(list) && !list.form;

/** What the correction changes: `[{item_id, field, before, after}]`; `item_id` is empty for the note on the visit. Pure. */
export function differences(before, { note, answers = [] }) {
  const stood = new Map(before.answers.map((given) => [given.item_id, given]));
  const found = answers.flatMap((given) => ["answer", "note"].filter((field) => given[field] !== undefined && given[field] !== null && given[field] !== (stood.get(given.item_id)?.[field] ?? ""))
    .map((field) => ({ item_id: given.item_id, field, before: stood.get(given.item_id)?.[field] ?? "", after: given[field] })));
  return note !== undefined && note !== null && note !== before.note ? [...found, { item_id: "", field: "note", before: before.note ?? "", after: note }] : found;
}

/** The differences as lines to read. */
export function differenceLines(list, found) {
  const items = new Map(list.items.map((item) => [item.id, item]));
  const said = ({ field }, value) => (field === "answer" ? answerName(value) : value || "—");
  return el("ul", { class: "differences" }, found.map((one) => el("li", {},
    el("b", {}, one.item_id || t("Note on the visit")), " ", one.item_id && items.has(one.item_id) ? el("span", { class: "soft" }, itemText(items.get(one.item_id))) : null,
    el("span", { class: "row" }, el("del", {}, said(one, one.before)), icon("next", 18), el("ins", {}, said(one, one.after))))));
}

/** What stands now: as it was sent, with the corrections of this phone that still wait. */
async function standing(draft) {
  const waiting = await db.outbox.where("thing").equals(thingOf("inspection.amend", draft.id)).sortBy("seq");
  let [answers, note] = [draft.answers, draft.note ?? ""];
  for (const { payload } of waiting.filter((change) => change.kind === "inspection.amend" && change.state === "waiting")) {
    answers = answers.map((given) => ({ ...given, ...Object.fromEntries(Object.entries(payload.answers?.find((one) => one.item_id === given.item_id) ?? {}).filter(([, value]) => value !== null)) }));
    note = payload.note ?? note;
  }
  return { answers, note };
}

/** The screen. */
export async function open(main, id) {
  const draft = await db.drafts.get(id);
  const list = draft?.checklist_code ? await checklistOf(draft) : null;
  if (!correctable(draft, list)) {
    instead("#/fill");
    return null;
  }
  main.className = "check correct";
  const screen = new Correction(main, draft, list, await standing(draft), await recall(keyOf(id), { answers: {}, note: null, reason: "", shots: [] }));
  await screen.build();
  return follow(() => {});
}

class Correction {
  constructor(main, draft, list, before, work) {
    Object.assign(this, { main, draft, list, before, work, cards: [], sum: el("div", {}) });
  }

  /** What is answered for an item now. */
  now(id) {
    return { ...this.before.answers.find((given) => given.item_id === id), ...this.work.answers[id] };
  }

  payload() {
    const answers = Object.entries(this.work.answers).map(([item_id, given]) => ({ item_id, ...given }));
    const left = differences(this.before, { answers, note: this.work.note });
    const changed = [...new Set(left.filter((one) => one.item_id).map((one) => one.item_id))];
    return { reason: this.work.reason.trim(), ...(left.some((one) => !one.item_id) ? { note: this.work.note } : {}),
      answers: changed.map((item_id) => ({ item_id, ...Object.fromEntries(left.filter((one) => one.item_id === item_id).map((one) => [one.field, one.after])) })) };
  }

  async change(id, fields) {
    this.work.answers[id] = { ...this.work.answers[id], ...fields };
    await this.keep();
  }

  async keep() {
    await remember(keyOf(this.draft.id), this.work);
    await this.draw();
  }

  async build() {
    head(t("Correct what was sent"), { back: `#/change/${this.draft.change_id}` });
    const asked = this.list.items.filter((item) => this.before.answers.some((given) => given.item_id === item.id));
    const pledges = [...new Set(asked.map((item) => item.pledge_no))].sort((a, b) => a - b);
    const reason = el("textarea", { id: "correct-reason", rows: 2, maxlength: 500, oninput: () => { this.work.reason = wellFormed(reason.value); this.keep(); } });
    reason.value = this.work.reason;
    const note = el("textarea", { id: "correct-note", rows: 2, maxlength: 4000, oninput: () => { this.work.note = wellFormed(note.value); this.keep(); } });
    note.value = this.work.note ?? this.before.note;
    fill(this.main,
      el("p", { class: "soft" }, t("Change only what is to be otherwise. What was sent stays in the history, with your reason.")),
      pledges.map((number) => el("details", { class: "away", open: asked.some((item) => item.pledge_no === number && this.work.answers[item.id]) }, el("summary", {}, `${number} · ${pledgeName(number)}`),
        asked.filter((item) => item.pledge_no === number).map((item) => this.card(item)))),
      el("section", { class: "panel" }, el("label", { for: "correct-note" }, t("Note on the visit")), note,
        el("label", { for: "correct-reason" }, t("Why is it corrected?")), reason, this.sum));
    await this.draw();
  }

  card(item) {
    const buttons = item.answers.map((value) => el("button", { type: "button", class: value, dataset: { answer: value }, onclick: () => { navigator.vibrate?.(10); this.change(item.id, { answer: value }); } }, answerName(value)));
    const field = el("textarea", { rows: 2, maxlength: 2000, "aria-label": t("Note on %(item)s", { item: item.id }), oninput: () => this.change(item.id, { note: wellFormed(field.value).trim() }) });
    field.value = this.now(item.id).note ?? "";
    const was = el("p", { class: "chips" });
    const strip = el("div", { class: "strip" });
    const input = el("input", { type: "file", accept: "image/*", multiple: true, class: "visually-hidden", "aria-label": t("Photo of %(item)s", { item: item.id }), onchange: async () => {
      try {
        await addPhotos({ ...this.draft, id: ownerOf(this.draft.id) }, item.id, [...input.files]);
      } catch (error) {
        toast(error.message, "error");
      }
      input.value = "";
      await this.draw();
    } });
    const more = el("div", { class: "evidence", hidden: true }, el("label", { class: "sign camera" }, icon("camera"), input), strip);
    const card = el("article", { class: "question", dataset: { item: item.id } }, el("p", { class: "asked" }, el("b", {}, item.id), " ", itemText(item)), was,
      el("div", { class: "answers", role: "group", "aria-label": itemText(item) }, buttons), field, more);
    this.cards.push((photos) => {
      const given = this.now(item.id);
      const stood = this.before.answers.find((one) => one.item_id === item.id);
      card.dataset.given = given.answer;
      for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.answer === given.answer));
      fill(was, stood.answer !== given.answer ? chip(t("sent as: %(answer)s", { answer: answerName(stood.answer) }), "orange") : null);
      more.hidden = given.answer !== "no" || stood.answer === "no";
      gallery(strip, photos.filter((photo) => photo.item_id === item.id), { removable: true });
    });
    return card;
  }

  /** What keeps it from going: a sentence, or `null`. */
  lacking(photos) {
    const { reason, answers, note } = this.payload();
    if (!answers.length && note === undefined) return t("Nothing is changed yet.");
    for (const { item_id: id, answer } of answers.filter((one) => one.answer === "no")) {
      const need = required(this.list.items.find((item) => item.id === id));
      if (need === "photo" && !photos.some((photo) => photo.item_id === id)) return t("%(item)s: 'No' needs a photo", { item: id });
      if (need === "note" && !this.now(id).note) return t("%(item)s: 'No' needs a note", { item: id, answer });
    }
    return reason ? null : t("Write why it is corrected.");
  }

  async draw() {
    const photos = [...this.work.shots, ...(await photosOf(ownerOf(this.draft.id)))];
    for (const show of this.cards) show(photos.filter((photo) => photo.blob));
    const found = differences(this.before, this.payload());
    const gap = this.lacking(photos);
    fill(this.sum, found.length ? [el("h3", {}, t("What will be sent")), differenceLines(this.list, found)] : null,
      gap ? el("p", { class: "notice warn" }, gap) : null);
    bar(button(t("Forget the correction"), () => this.forget(), { kind: "quiet" }),
      button(t("Put into the queue"), () => this.send(), { kind: "primary wide", sign: "up", disabled: gap !== null }));
  }

  async forget() {
    await db.photos.where("inspection_id").equals(ownerOf(this.draft.id)).delete();
    await remember(keyOf(this.draft.id), null);
    location.hash = `#/change/${this.draft.change_id}`;
  }

  /** First what is known of the photos, then the photos, then the correction: a kill in between loses none of them. */
  async send() {
    const { id } = this.draft;
    await queueing(async () => {
      const fresh = await photosOf(ownerOf(id));
      this.work.shots.push(...fresh.map(({ sha256, item_id, taken_at, position }) => ({ sha256, item_id, taken_at, position: position && { lon: tidy(position.lon), lat: tidy(position.lat), accuracy_m: tidy(position.accuracy_m, 1) } })));
      await remember(keyOf(id), this.work);
      await db.photos.where("inspection_id").equals(ownerOf(id)).modify({ inspection_id: id });
      await amend(id, { ...this.payload(), photos: this.work.shots });
    });
    await remember(keyOf(id), null);
    location.hash = "#/fill";
    toast(t("The correction goes out by itself as soon as there is signal."), "done");
    nudge({ hopeful: true });
  }
}
