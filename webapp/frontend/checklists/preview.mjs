// A form at the desk as the phone shows it, to be tried out. Nothing is kept: the answers live as long as this page.
import { el, fill } from "/frontend/common/dom.mjs";
import { language, t } from "/frontend/common/words.mjs";
import { defaultOf, formProgress, itemsOf, pagesOf, told } from "/frontend/phone/form_rules.mjs";
import { FormView } from "/frontend/phone/form_view.mjs";
import { localNow } from "/frontend/phone/lists.mjs";
import { icon, ring } from "/frontend/phone/parts.mjs";

const form = JSON.parse(document.body.dataset.form);
const pages = pagesOf(form);
const draft = { answers: Object.fromEntries(itemsOf(form).map(({ item }) => [item.name, { answer: null, value: defaultOf(item, localNow()), note: "" }])) };
const photos = [];
const main = document.getElementById("main");
let view = null;

function shoot(name, files) {
  for (const file of files) photos.push({ id: crypto.randomUUID(), item_id: name, blob: file, thumb: file, size: file.size, taken_at: new Date().toISOString(), position: null });
  draw();
}

const store = {
  now: localNow, locate: async () => ({ lat: 36.78, lon: 119.96, accuracy_m: 8 }), shoot, sign: (name, file) => shoot(name, [file]),
  put: (name, patch) => { draft.answers[name] = { ...draft.answers[name], ...patch }; draw(); },
};

function draw() {
  const whole = view.show(draft, photos);
  fill(document.getElementById("ring"), ring(whole.answered, whole.total));
}

function open(number) {
  const [steps, body] = [el("nav", { class: "steps", "aria-label": t("Pages of the form") }), el("div", { class: "form-page" })];
  fill(steps, pages.map((_, n) => el("button", { type: "button", "aria-current": n + 1 === number ? "step" : null, onclick: () => open(n + 1) },
    formProgress(form, draft, photos, localNow(), n).answered ? el("b", {}, n + 1) : String(n + 1))));
  fill(main, pages.length > 1 ? steps : null, el("h2", {}, `${number} · ${told(pages[number - 1].label, language, form.default_language) || document.body.dataset.name}`), body,
    el("p", { class: "notice nothing-asked" }, t("Nothing of this page is asked on this visit.")));
  view = new FormView(body, form, number, store);
  fill(document.getElementById("foot"),
    number > 1 ? el("button", { type: "button", class: "big", "aria-label": t("Previous page of the form"), onclick: () => open(number - 1) }, icon("back")) : null,
    number < pages.length ? el("button", { type: "button", class: "big primary wide", onclick: () => open(number + 1) }, t("Next page of the form"), icon("next")) : null);
  draw();
  scrollTo(0, 0);
}

if (pages.length) open(1);
