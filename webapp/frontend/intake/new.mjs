// The call-taker's form: the deadline and similar complaints while typing, the place by name, by map or by coordinates.
// Without this script the form still works: the server checks and converts everything again.
import { ask, el, fill } from "../common/dom.mjs";
import { language, t, word } from "../common/words.mjs";
import { reasonWords } from "../desk/similar.mjs";
import { Place } from "./place.mjs";
import { combo } from "./combo.mjs";
import { outages } from "./outages.mjs";

const form = document.querySelector("[data-intake]");
const find = (selector) => form.querySelector(selector);
const field = (name) => form.elements[name];

/** Calls `run` once, `wait` milliseconds after the last call; an older answer never overtakes a newer one. */
function calm(run, wait) {
  let timer, control;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      control?.abort();
      control = new AbortController();
      run(control.signal).catch((error) => {
        if (error.name !== "AbortError") console.warn(error);
      });
    }, wait);
  };
}

// --- the deadline ----------------------------------------------------------------------------------------------------
const clock = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN",
  { dateStyle: "full", timeStyle: "short", timeZone: form.dataset.timezone });

function followCategory() {
  const chosen = field("category").selectedOptions[0]?.dataset.complexity;
  if (!chosen || find("[name=complexity][data-chosen]")) return;
  for (const radio of form.querySelectorAll("[name=complexity]")) radio.checked = radio.value === chosen;
}

const showDeadline = calm(async (signal) => {
  const category = field("category").value;
  const missing = find("[data-calendar-missing]");
  if (!category) {
    find("[data-deadline]").value = "—";
    find("[data-deadline-source]").textContent = "";
    missing.hidden = true;
    return;
  }
  const due = await ask(`/complaints/deadline.json?${new URLSearchParams({ category, complexity: field("complexity").value })}`, { signal });
  find("[data-deadline]").value = clock.format(new Date(due.resolve_by));
  find("[data-deadline-source]").textContent = due.complexity === "complex" ? t("within three working days") : t("the same day");
  missing.hidden = !due.calendar_missing;
  missing.textContent = t("The working calendar of %(years)s is missing: this deadline counts Monday to Friday.",
    { years: due.missing_years.join(", ") });
}, 50);

// --- similar complaints ----------------------------------------------------------------------------------------------
/** What is known of the call so far, or null while it is too little to ask with. */
function known() {
  const category = field("category").value, phone = field("caller_phone").value.trim(), text = field("place").value.trim();
  if (!category || !(place.at || text.length > 1 || phone.length > 6)) return null;
  return { category, phone, place: text, words: field("description").value.slice(0, 1000), ...(place.at ?? {}) };
}

const showSimilar = calm(async (signal) => {
  const asked = known();
  const rows = asked ? await ask("/complaints/similar.json", { method: "POST", body: asked, signal }) : [];
  find("[data-similar-empty]").hidden = rows.length > 0;
  fill(find("[data-similar]"), rows.map((row) => el("li", { dataset: { similarId: row.id } },
    el("div", { class: "similar-head" }, el("a", { href: `/complaints/${row.id}`, target: "_blank" }, row.hotline_no), el("span", { class: "chip" }, word("status", row.status)),
      row.callers > 1 ? el("span", { class: "chip" }, t("%(n)s callers", { n: row.callers })) : null,
      row.key ? el("span", { class: "chip red" }, t("key supervision")) : null, el("span", { class: "grow" }),
      el("button", { type: "button", class: "similar-join", title: t("Same matter: keep this caller too, and join"), "aria-label": t("+1 to %(no)s", { no: row.hotline_no }), onclick: () => join(row) }, "+1")),
    el("span", { class: "small" }, `${row.category_name} · ${row.place || "—"}`),
    el("ul", { class: "why-list" }, row.reasons.map((reason) => el("li", {}, reasonWords(reason)))))));
}, 250);

/** "+1": this call is about that matter; it is received with its own number and caller, and joined. */
function join(row) {
  field("join").value = row.id;
  form.requestSubmit();
}
find("[data-not-joining]")?.addEventListener("click", () => {
  field("join").value = "";
  find("[data-joining]").hidden = true;
});

// --- the place -------------------------------------------------------------------------------------------------------
const showOutages = outages(form, { calm, join, place: () => place.at });
const place = new Place(form, { changed: () => { showSimilar(); showOutages(); } });
combo(field("place"), find("#place-list"), {
  search: (q, signal) => ask(`/places/search.json?${new URLSearchParams({ q })}`, { signal }),
  choose: (row) => place.fromName(row),
});

form.addEventListener("change", (event) => {
  if (event.target.name === "complexity") event.target.dataset.chosen = "";
  if (event.target.name === "category") followCategory();
  if (["category", "complexity"].includes(event.target.name)) showDeadline();
  if (["category", "place"].includes(event.target.name)) showSimilar();
  if (event.target.name === "category") showOutages();
});
for (const name of ["place", "description", "caller_phone"]) field(name).addEventListener("input", showSimilar);

// --- sending ---------------------------------------------------------------------------------------------------------
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  else if (event.key === "Enter" && event.target.tagName === "INPUT" && event.target.type !== "submit") event.preventDefault();
});
form.addEventListener("submit", (event) => {
  const send = find("[data-send]");
  if (send.dataset.sent) event.preventDefault(); // twice pressed is once received
  send.dataset.sent = "1";
  send.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) delete find("[data-send]").dataset.sent;
});
find("[data-copy]")?.addEventListener("click", async ({ currentTarget }) => {
  await navigator.clipboard.writeText(currentTarget.dataset.copy);
  currentTarget.textContent = t("Copied");
});

followCategory();
showDeadline();
if (field("category").value) showSimilar();
(find('[aria-invalid="true"]') ?? field("category")).focus();
