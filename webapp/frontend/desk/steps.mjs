// The buttons of what can be done with a complaint now, and the form of each: both come from the table of steps.
import { ask, el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";

const FIRST = ["send", "sign", "resolve", "answer", "confirm", "uphold_return", "grant_extension"]; // what one usually does next
let units = null;

/** The section of steps of complaint `c`. `version()` is the version shown, `done(verb)` and `failed(problem)` tell how it went. */
export function stepsPart(c, { version, done, failed }) {
  const verbs = c.steps ?? [];
  if (!verbs.length) return null;
  const place = el("div", { class: "step-form" });
  const buttons = verbs.map((verb) => el("button", { type: "button", class: FIRST.includes(verb) ? "primary" : "quiet", dataset: { verb }, "aria-expanded": "false", onclick: () => open(verb) }, word("verb", verb)));
  const open = async (verb) => {
    const pressed = buttons.find((b) => b.dataset.verb === verb);
    const closing = pressed.getAttribute("aria-expanded") === "true";
    for (const button of buttons) button.setAttribute("aria-expanded", String(button === pressed && !closing));
    if (closing) { fill(place); return; }
    const fields = c.forms?.[verb] ?? [];
    if (!fields.length) { await send(verb, {}); return; }
    const form = await formOf(verb, fields, c);
    form.addEventListener("submit", (event) => { event.preventDefault(); send(verb, valuesOf(form, fields), form); });
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); open(verb); pressed.focus(); } });
    fill(place, form);
    form.querySelector("select, textarea, input:not([type=hidden])")?.focus();
  };
  const send = async (verb, values, form) => {
    const inert = [...buttons, ...(form?.querySelectorAll("button") ?? [])];
    for (const button of inert) button.disabled = true;
    try {
      await ask(`/complaints/${c.id}/steps`, { method: "POST", body: { verb, base_version: version(), ...values } });
      fill(place); // it is made: the form is no longer in anybody's hand
      done(verb);
    } catch (problem) {
      for (const button of inert) button.disabled = false;
      const wrong = problem.status === 422 && problem.field ? form?.elements[problem.field] : null;
      if (!wrong) { await failed(problem); return; }
      wrong.setAttribute("aria-invalid", "true");
      form.querySelector("[role=alert]").textContent = problem.message;
      wrong.focus();
    }
  };
  return el("section", { class: "part steps", "aria-label": t("Next step") }, el("div", { class: "row wrap" }, ...buttons), place);
}

async function formOf(verb, fields, c) {
  if (fields.some((f) => f.kind === "unit")) units ??= (await ask("/units.json")).units;
  return el("form", { dataset: { step: verb }, novalidate: true }, ...fields.map((field) => row(field, c)),
    el("p", { class: "field-error", role: "alert" }),
    el("div", { class: "row" }, el("button", { class: "primary" }, t("Submit"))));
}

function row(field, c) {
  const label = field.required ? `${field.label} *` : field.label;
  if (field.kind === "flag") return el("label", { class: "row small" }, el("input", { type: "checkbox", name: field.name }), label);
  return el("label", { class: "field" }, el("span", { class: "small soft" }, label), control(field, c));
}

function control(field, c) {
  const shared = { name: field.name, required: field.required };
  const options = field.kind === "unit" ? units.map((u) => ({ code: u.id, name: u.name })) : field.choices;
  if (field.kind === "choice" || field.kind === "unit") {
    return el("select", shared, el("option", { value: "" }, t("Choose …")), ...options.map((o) => el("option", { value: o.code, selected: field.kind === "unit" && o.name === c.unit }, o.name)));
  }
  if (field.kind === "moment") return el("input", { ...shared, type: "datetime-local" });
  if (field.kind === "days") return el("input", { ...shared, type: "number", min: 1, max: 399, step: 1, class: "short" });
  if (field.kind === "complaint") return el("input", { ...shared, inputmode: "numeric" });
  return el("textarea", { ...shared, rows: 2, maxlength: field.name === "note" ? 1000 : 2000 });
}

function valuesOf(form, fields) {
  const values = {};
  for (const { name, kind } of fields) {
    const input = form.elements[name];
    const value = kind === "flag" ? input.checked : input.value.trim();
    if (value === "" || value === false) continue;
    values[name] = kind === "days" || kind === "unit" || kind === "complaint" ? Number(value) : value;
  }
  return values;
}
