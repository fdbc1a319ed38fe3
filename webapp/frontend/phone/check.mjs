// A checklist, one page per pledge. A tap is on the disk before anything else happens; going back loses nothing.
import { el, fill } from "/frontend/common/dom.mjs";
import { language, t } from "/frontend/common/words.mjs";
import { db, recall, remember, watch } from "./db.mjs";
import { addPhotos, answer, checklistOf, markOpen, note, photosOf, set } from "./drafts.mjs";
import { bar, head, instead } from "./frame.mjs";
import { answerName, itemText, pledgeName } from "./names.mjs";
import { button, chip, icon, ring, toast } from "./parts.mjs";
import { follow } from "./position.mjs";
import { byHousehold, hidden, lacking, progress, required } from "./rules.mjs";
import * as form from "./form_screen.mjs";
import { accuracy, gallery } from "./gallery.mjs";
import { signature } from "./signature.mjs";

const WHY = { other_scope: "only for the other kind of works", heating_only: "only for heating works", completion_only: "only after completion", not_yet: "not at this stage yet" };

/** The screen of one pledge. */
export async function open(main, id, page) {
  const number = Number(page);
  const draft = await db.drafts.get(id);
  const list = draft && (await checklistOf(draft));
  if (draft?.state !== "draft" || !list) {
    instead("#/fill");
    return null;
  }
  if (list.form) return form.open(main, draft, list, number);
  await markOpen(id);
  await set(id, { page: number });
  const pages = [...new Set(list.items.map((item) => item.pledge_no))].sort((a, b) => a - b);
  const screen = new Page(main, list, number, pages);
  const stops = [watch(async () => ({ draft: await db.drafts.get(id), photos: await photosOf(id) }), (found) => screen.show(found)), follow((position) => screen.place(position))];
  return async () => {
    for (const stop of stops) stop();
    await screen.flush();
  };
}

/** Under which name the last note on this item is kept, to be repeated by one tap. */
const lastNote = (list, item) => `last note ${list.code} ${item.id}`;

class Page {
  constructor(main, list, number, pages) {
    Object.assign(this, { main, list, number, pages, writing: new Map(), cards: new Map(), here: el("p", { class: "chips here" }) });
    this.items = list.items.filter((item) => item.pledge_no === number);
  }

  /** Draw all once; afterwards only what changed, so that nothing moves under a finger. */
  show({ draft, photos }) {
    if (!draft || draft.state !== "draft") return;
    Object.assign(this, { draft, photos });
    if (!this.built) this.build();
    this.tops();
    if (this.signs) gallery(this.signs, photos.filter((p) => p.item_id === String(this.number)), { removable: true });
    for (const item of this.items) this.cards.get(item.id)?.(draft.answers[item.id], photos.filter((p) => p.item_id === item.id));
  }

  build() {
    this.built = true;
    this.main.className = "check";
    this.steps = el("nav", { class: "steps", "aria-label": t("Pledges") });
    const shown = this.items.filter((item) => hidden(item, this.draft) === null);
    const away = this.items.filter((item) => hidden(item, this.draft) !== null);
    fill(this.main, this.steps, this.here,
      el("h2", {}, `${this.number} · ${pledgeName(this.number)}`),
      shown.length ? shown.map((item) => this.card(item)) : el("p", { class: "notice" }, t("Nothing of this pledge is asked on this visit.")),
      shown.some(byHousehold) ? this.confirmation() : null,
      away.length ? el("details", { class: "away" }, el("summary", {}, t("Not asked: %(n)s", { n: away.length })),
        el("ul", {}, away.map((item) => el("li", {}, `${item.id} ${itemText(item)} — `, el("em", {}, t(WHY[hidden(item, this.draft)])))))) : null);
  }

  /** How sure the place is, before a photo is taken: the photo keeps it. */
  place(position) {
    fill(this.here, accuracy(position), el("span", { class: "soft small" }, position ? t("is kept with each photo") : t("photos can be taken all the same; they say that the place is not known")));
  }

  /** The household confirms the pledge itself, on this phone. */
  confirmation() {
    this.signs = el("div", { class: "strip" });
    const words = t("The household confirms what was answered under '%(pledge)s'.", { pledge: pledgeName(this.number) });
    return el("section", { class: "panel confirm" }, el("h3", {}, t("The household's own confirmation")), el("p", { class: "soft" }, t("Hand the phone over; the signature is sent with this pledge.")), this.signs,
      button(t("Sign here"), async () => {
        const file = await signature(t("The household's own confirmation"), { named: true, words });
        if (file) await addPhotos(this.draft, String(this.number), [file]);
      }, { sign: "note" }));
  }

  tops() {
    const whole = progress(this.list.items, this.draft, this.photos);
    head(this.draft.title, { back: "#/fill", right: ring(whole.answered, whole.total) });
    fill(this.steps, this.pages.map((n) => {
      const own = progress(this.list.items.filter((item) => item.pledge_no === n), this.draft, this.photos);
      const state = own.total === 0 ? "none" : own.complete ? "done" : own.answered ? "begun" : "";
      return el("a", { href: `#/check/${this.draft.id}/${n}`, class: state, "aria-current": n === this.number ? "step" : null,
        "aria-label": `${n} ${pledgeName(n)}, ${t("%(answered)s of %(total)s answered", own)}` }, state === "done" ? icon("check", 18) : String(n));
    }));
    const at = this.pages.indexOf(this.number);
    const [before, after] = [this.pages[at - 1], this.pages[at + 1]];
    if (this.barred) return;
    this.barred = true;
    bar(before ? el("a", { class: "big button", href: `#/check/${this.draft.id}/${before}`, "aria-label": t("Previous pledge") }, icon("back")) : null,
      el("a", { class: "big button primary wide", href: after ? `#/check/${this.draft.id}/${after}` : `#/check/${this.draft.id}/end` },
        after ? t("Next: %(pledge)s", { pledge: pledgeName(after) }) : t("Review and finish"), icon("next")));
  }

  /** The card of one item; registers how it is brought up to date. */
  card(item) {
    const buttons = item.answers.map((value) => el("button", { type: "button", class: value, "aria-pressed": "false", dataset: { answer: value },
      onclick: () => this.tap(item, value) }, icon({ yes: "check", no: "cross", na: "next" }[value] ?? "check", 20), answerName(value)));
    const field = el("textarea", { rows: 2, maxlength: 2000, "aria-label": t("Note on %(item)s", { item: item.id }), placeholder: this.ask(item), oninput: () => this.type(item, field.value) });
    const noteBox = el("div", { class: "note", hidden: true }, field);
    const noteButton = el("button", { type: "button", class: "sign", "aria-label": t("Note on %(item)s", { item: item.id }), onclick: () => { noteBox.hidden = false; field.focus(); } }, icon("note"));
    const repeat = el("button", { type: "button", class: "repeat", hidden: true, onclick: () => { field.value = repeat.dataset.text; this.type(item, field.value); repeat.hidden = true; } });
    recall(lastNote(this.list, item)).then((text) => { repeat.dataset.text = text ?? ""; repeat.textContent = text ? t("As last time: %(text)s", { text }) : ""; repeat.hidden = !text || Boolean(field.value); });
    noteBox.append(repeat);
    const need = el("p", { class: "need", hidden: true });
    const strip = el("div", { class: "strip" });
    const card = el("article", { class: "question", dataset: { item: item.id } },
      el("p", { class: "asked" }, el("b", {}, item.id), " ", itemText(item)),
      el("p", { class: "chips" }, byHousehold(item) ? chip(t("the household answers"), "blue", "people") : null,
        item.polarity === "prohibition" ? chip(t("'Yes' = kept to it")) : null, language === "zh" && item.note ? el("span", { class: "soft small" }, item.note) : null),
      el("div", { class: "answers", role: "group", "aria-label": itemText(item) }, buttons),
      need, el("div", { class: "evidence" }, this.camera(item, true), this.camera(item, false), noteButton, strip), noteBox);
    this.cards.set(item.id, (given, photos) => {
      card.dataset.given = given?.answer ?? "";
      for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.answer === given?.answer));
      const gap = lacking(item, given, photos.length);
      need.hidden = given?.answer !== "no" || !required(item);
      need.className = gap ? "need" : "need met";
      fill(need, icon(gap ? "warn" : "check", 18), " ", required(item) === "photo" ? t("'No' needs a photo") : byHousehold(item) ? t("'No' needs what the household said") : t("'No' needs a note"));
      if ((given?.answer === "no" && required(item) === "note") || given?.note) noteBox.hidden = false;
      if (document.activeElement !== field && !this.writing.has(item.id)) field.value = given?.note ?? "";
      gallery(strip, photos, { removable: true });
    });
    return card;
  }

  ask(item) {
    return byHousehold(item) ? t("What the household said") : t("Note");
  }

  camera(item, direct) {
    const input = el("input", { type: "file", accept: "image/*", multiple: !direct, capture: direct ? "environment" : null, class: "visually-hidden",
      onchange: () => this.shoot(item, input, !direct) });
    const name = direct ? t("Photo of %(item)s", { item: item.id }) : t("Pictures from the album for %(item)s", { item: item.id });
    input.setAttribute("aria-label", name);
    return el("label", { class: direct ? "sign camera" : "sign" }, icon(direct ? "camera" : "album"), input);
  }

  async shoot(item, input, album) {
    const files = [...input.files];
    input.disabled = true;
    try {
      await addPhotos(this.draft, item.id, files, { album });
      navigator.vibrate?.([10, 40, 10]);
    } catch (error) {
      if (error.name === "QuotaExceededError" || error.inner?.name === "QuotaExceededError") throw error;
      toast(error.message, "error");
    } finally {
      input.value = "";
      input.disabled = false;
    }
  }

  async tap(item, value) {
    await answer(this.draft.id, item.id, value);
    navigator.vibrate?.(10);
  }

  /** Text is written down a moment after the last key, and at once when the page is left. */
  type(item, text) {
    clearTimeout(this.writing.get(item.id)?.timer);
    const write = async () => {
      this.writing.delete(item.id);
      await note(this.draft.id, item.id, text);
      if (text.trim()) await remember(lastNote(this.list, item), text.trim());
    };
    this.writing.set(item.id, { timer: setTimeout(write, 250), write });
  }

  async flush() {
    for (const { timer, write } of [...this.writing.values()]) {
      clearTimeout(timer);
      await write();
    }
  }
}

