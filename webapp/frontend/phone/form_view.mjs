// One page of a form: every item as a thumb wants it. It knows nothing of where answers are kept: `store` does.
import { el, fill } from "/frontend/common/dom.mjs";
import { language, t } from "/frontend/common/words.mjs";
import { SIGNED, filledIn, formProgress, isRequired, itemsOf, lacking, meets, offered, standing, told } from "./form_rules.mjs";
import { gallery } from "./gallery.mjs";
import { chip, icon, toast } from "./parts.mjs";
import { signature } from "./signature.mjs";

const INPUT = { integer: "text", decimal: "text", date: "date", time: "time", datetime: "datetime-local" };
const NEED = { unanswered: "This must be answered", photo: "This answer needs a photo", note: "This answer needs a note", signature: "This answer needs a signature", not_met: "This does not meet the condition" };
const SIGN = { yes: "check", no: "cross", na: "next" };

/** Draw page `number` (from one) of `form` into `root`. `store` is `{put, shoot, sign, locate, now}`. */
export class FormView {
  constructor(root, form, number, store) {
    Object.assign(this, { root, form, number, store, cards: new Map(), writing: new Map() });
    this.placed = itemsOf(form).filter((p) => p.page === number - 1 && p.item.type !== "meta");
  }

  /** Bring everything up to date; drawn once, afterwards only what changed. */
  show(draft, photos) {
    Object.assign(this, { draft, photos });
    this.at = standing(this.form, draft.answers, this.store.now());
    if (!this.built) fill(this.root, this.placed.map(({ item }) => this.card(item)));
    this.built = true;
    const pictures = new Set(photos.map((p) => p.item_id));
    for (const { item } of this.placed) this.cards.get(item.name)?.(draft.answers[item.name], pictures);
    this.root.classList.toggle("nothing", !this.placed.some(({ item }) => this.at.asked.has(item.name)));
    return formProgress(this.form, draft, photos, this.store.now());
  }

  label(text) {
    return filledIn(told(text, language, this.form.default_language), this.form, this.at, language);
  }

  /** The card of one item; registers how it is brought up to date. */
  card(item) {
    const asked = el("p", { class: "asked" });
    const hint = el("p", { class: "soft hint" });
    const need = el("p", { class: "need", role: "status", hidden: true });
    const card = el("article", { class: `question of-${item.type}`, dataset: { item: item.name } });
    const widget = (WIDGETS[item.type] ?? WIDGETS.note)(this, item, card);
    const more = item.type === "yes_no" ? this.evidence(item) : null;
    fill(card, asked, hint, widget.node, need, more?.node);
    this.cards.set(item.name, (given, pictures) => {
      card.hidden = !this.at.asked.has(item.name) || (item.type === "calculate" && !told(item.label, language));
      if (card.hidden) return;
      const star = isRequired(item, this.at) ? el("span", { class: "must", title: t("This must be answered") }, " *") : null;
      fill(asked, this.label(item.label) || item.name, star);
      hint.textContent = this.label(item.hint);
      hint.hidden = !hint.textContent;
      card.dataset.given = given?.answer ?? "";
      widget.show(given, pictures);
      more?.show(given, pictures);
      const gap = lacking(item, given, this.at, pictures);
      const touched = Boolean(given?.answer || given?.value);
      need.hidden = !gap || (gap === "unanswered" && !touched);
      fill(need, icon("warn", 18), " ", gap === "not_met" ? this.label(item.constraint_message) || t(NEED[gap]) : t(NEED[gap] ?? "unanswered"));
    });
    return card;
  }

  /** What an answer carries: photos, a note, a signature where it needs one. */
  evidence(item) {
    const field = el("textarea", { rows: 2, maxlength: 2000, "aria-label": t("Note on %(item)s", { item: item.name }), placeholder: t("Note"), oninput: () => this.type(item, "note", field.value) });
    const box = el("div", { class: "note", hidden: true }, field);
    const open = el("button", { type: "button", class: "sign", "aria-label": t("Note on %(item)s", { item: item.name }), onclick: () => { box.hidden = false; field.focus(); } }, icon("note"));
    const strip = el("div", { class: "strip" });
    const pen = el("button", { type: "button", class: "sign wide-sign", hidden: true, onclick: () => this.signed(item.name + SIGNED) }, icon("note"), t("Sign here"));
    return {
      node: el("div", { class: "stack" }, el("div", { class: "evidence" }, this.camera(item, true), this.camera(item, false), open, pen, strip), box),
      show: (given) => {
        const needs = item.evidence?.[given?.answer] ?? [];
        if (needs.includes("note") || given?.note) box.hidden = false;
        if (document.activeElement !== field && !this.writing.has(`${item.name} note`)) field.value = given?.note ?? "";
        pen.hidden = !needs.includes("signature");
        gallery(strip, this.photos.filter((p) => p.item_id === item.name || p.item_id === item.name + SIGNED), { removable: true });
      },
    };
  }

  camera(item, direct) {
    const input = el("input", { type: "file", accept: "image/*", multiple: !direct, capture: direct ? "environment" : null, class: "visually-hidden",
      "aria-label": direct ? t("Photo of %(item)s", { item: item.name }) : t("Pictures from the album for %(item)s", { item: item.name }),
      onchange: async () => {
        const files = [...input.files];
        try {
          await this.store.shoot(item.name, files);
        } catch (error) {
          if (error.name === "QuotaExceededError" || error.inner?.name === "QuotaExceededError") throw error;
          toast(error.message, "error");
        }
        input.value = "";
      } });
    return el("label", { class: direct ? "sign camera" : "sign" }, icon(direct ? "camera" : "album"), input);
  }

  async signed(itemId) {
    const file = await signature(t("Signature"));
    if (file) await this.store.sign(itemId, file);
  }

  /** Text is written down a moment after the last key, and at once when the page is left. */
  type(item, field, text) {
    const key = `${item.name} ${field}`;
    clearTimeout(this.writing.get(key)?.timer);
    const write = async () => {
      this.writing.delete(key);
      await this.store.put(item.name, { [field]: text });
    };
    this.writing.set(key, { timer: setTimeout(write, 250), write });
  }

  async flush() {
    for (const { timer, write } of [...this.writing.values()]) {
      clearTimeout(timer);
      await write();
    }
  }
}

function typed(view, item, node) {
  node.readOnly = Boolean(item.read_only);
  node.addEventListener("input", () => view.type(item, "value", clean(item, node.value)));
  return {
    node,
    show: (given) => {
      if (document.activeElement !== node && !view.writing.has(`${item.name} value`)) node.value = given?.value ?? "";
      node.setAttribute("aria-label", view.label(item.label) || item.name);
      node.setAttribute("aria-invalid", String(!meets(item, given?.value ?? "", view.at)));
    },
  };
}

/** A number without what a thumb leaves around it; full-width digits and points are meant as plain ones. */
function clean(item, text) {
  if (item.type !== "integer" && item.type !== "decimal") return text;
  return text.normalize("NFKC").replace("。", ".").replace(/\s/g, "");
}

function buttons(view, item, many) {
  const node = el("div", { class: "options", role: many ? "group" : "radiogroup" });
  return {
    node,
    show: (given) => {
      const chosen = (given?.value ?? "").split(" ").filter(Boolean);
      const list = offered(view.form, item, view.at);
      node.setAttribute("aria-label", view.label(item.label) || item.name);
      const kept = document.activeElement?.dataset?.value;
      fill(node, list.map((choice) => el("button", { type: "button", role: many ? "checkbox" : "radio", "aria-checked": String(chosen.includes(choice.name)), dataset: { value: choice.name },
        onclick: () => view.store.put(item.name, { value: picked(chosen, choice.name, many, list) }) },
        chosen.includes(choice.name) ? icon("check", 20) : el("span", { class: "box" }), view.label(choice.label) || choice.name)));
      if (kept) node.querySelector(`[data-value="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
    },
  };
}

function picked(chosen, name, many, list) {
  if (!many) return chosen.includes(name) ? "" : name;
  const set = new Set(chosen);
  if (!set.delete(name)) set.add(name);
  return list.map((c) => c.name).filter((one) => set.has(one)).join(" ");
}

function yesNo(view, item) {
  const list = view.form.choices[item.choices] ?? [];
  const keys = list.map((choice) => el("button", { type: "button", class: choice.name, "aria-pressed": "false", dataset: { answer: choice.name },
    onclick: () => { view.store.put(item.name, { answer: view.draft.answers[item.name]?.answer === choice.name ? null : choice.name }); navigator.vibrate?.(10); } },
    icon(SIGN[choice.name] ?? "check", 20), el("span", {})));
  const node = el("div", { class: "answers", role: "group" }, keys);
  return {
    node,
    show: (given) => {
      node.setAttribute("aria-label", view.label(item.label));
      keys.forEach((key, n) => {
        key.setAttribute("aria-pressed", String(given?.answer === key.dataset.answer));
        key.lastChild.textContent = view.label(list[n].label) || list[n].name;
      });
    },
  };
}

function pictures(view, item, pen) {
  const strip = el("div", { class: "strip" });
  const node = el("div", { class: "evidence" }, pen ? el("button", { type: "button", class: "big", onclick: () => view.signed(item.name) }, icon("note"), t("Sign here"))
    : [view.camera(item, true), view.camera(item, false)], strip);
  return { node, show: () => gallery(strip, view.photos.filter((p) => p.item_id === item.name), { removable: true }) };
}

function place(view, item) {
  const said = el("span", {});
  const take = el("button", { type: "button", class: "big", onclick: async () => {
    const here = await view.store.locate();
    if (!here) return toast(t("This phone does not know where it is yet; wait a moment under the open sky."), "error");
    return view.store.put(item.name, { value: `${here.lat.toFixed(6)} ${here.lon.toFixed(6)} 0 ${Math.max(0, here.accuracy_m ?? 0).toFixed(1)}` });
  } }, icon("pin"), t("Take the position"));
  return { node: el("div", { class: "stack" }, take, said), show: (given) => {
    const [lat, lon, , metres] = (given?.value ?? "").split(" ");
    fill(said, given?.value ? chip(`${Number(lat).toFixed(5)}, ${Number(lon).toFixed(5)} ±${Math.round(Number(metres ?? 0))} m`, "green", "check") : "");
  } };
}

function tick(view, item) {
  const key = el("button", { type: "button", class: "big", role: "checkbox", onclick: () => view.store.put(item.name, { value: view.draft.answers[item.name]?.value ? "" : "OK" }) });
  return { node: key, show: (given) => { key.setAttribute("aria-checked", String(Boolean(given?.value))); fill(key, given?.value ? icon("check") : null, t("Seen and agreed")); } };
}

const field = (view, item) => typed(view, item, el("input", { type: INPUT[item.type], inputmode: { integer: "numeric", decimal: "decimal" }[item.type] ?? null, step: item.type === "time" ? 60 : null, autocomplete: "off" }));

const WIDGETS = {
  yes_no: yesNo, select_one: (view, item) => buttons(view, item, false), select_many: (view, item) => buttons(view, item, true),
  integer: field, decimal: field, date: field, time: field, datetime: field,
  text: (view, item) => typed(view, item, el("textarea", { rows: 2, maxlength: 4000 })),
  photo: (view, item) => pictures(view, item, false), signature: (view, item) => pictures(view, item, true), geopoint: place, tick,
  note: () => ({ node: el("span", {}), show: () => {} }),
  calculate: (view, item) => { const node = el("output", {}); return { node, show: () => { node.textContent = view.at.values[item.name]; } }; },
  beyond: (view, item) => ({ node: el("p", { class: "notice warn" }, t("This app cannot show this question: %(kind)s", { kind: item.beyond })), show: () => {} }),
};
