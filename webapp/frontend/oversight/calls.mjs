// The follow-up caller's page by keyboard: numbers and letters choose, Enter saves, j and k go through the list.
import { t } from "../common/words.mjs";

const form = document.querySelector("#call");
const KEYS = {
  1: ["outcome", 0], 2: ["outcome", 1], 3: ["outcome", 2], 4: ["outcome", 3], y: ["solved", 0], n: ["solved", 1],
  q: ["process", 0], w: ["process", 1], e: ["process", 2], a: ["result", 0], s: ["result", 1], d: ["result", 2],
};

function value(name) {
  return new FormData(form).get(name);
}

/** What is asked of a caller who was reached is asked of nobody else; and what will follow is said before it is saved. */
function settle() {
  const reached = value("outcome") === "reached";
  const told = document.querySelector("#told");
  told.hidden = !reached;
  for (const input of told.querySelectorAll("input")) {
    input.disabled = !reached;
    input.required = reached;
  }
  const follows = document.querySelector("#follows");
  const unhappy = value("solved") === "no" || value("result") === "dissatisfied";
  const complete = value("solved") && value("process") && value("result");
  form.elements.note.required = reached && unhappy;
  let end = "";
  if (reached && (unhappy || complete)) end = unhappy ? "reopen" : "confirm";
  else if (value("outcome") === "refused") end = "confirm";
  else if (value("outcome") && !reached) end = Number(follows.dataset.attempts) > 0 ? "again" : "last";
  follows.textContent = end ? follows.dataset[end] : "";
}

function choose(name, at) {
  const input = form.querySelectorAll(`input[name="${name}"]`)[at];
  if (!input || input.disabled) return;
  input.checked = true;
  settle();
}

function go(step) {
  const links = [...document.querySelectorAll(".queue a")];
  const here = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[here + step]?.click();
}

async function unmask() {
  const button = document.querySelector("#unmask");
  const out = document.querySelector("#caller");
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
      body: JSON.stringify({ purpose: "call_back" }),
    });
    const told = await answer.json();
    out.textContent = answer.ok ? [told.name, told.phone, told.door_no].filter(Boolean).join(" · ") : told.detail;
    out.classList.toggle("error", !answer.ok);
    button.hidden = answer.ok;
  } catch {
    out.textContent = t("No answer from the server.");
    out.classList.add("error");
  }
  button.disabled = false;
}

if (form) {
  form.addEventListener("change", settle);
  settle();
  document.querySelector("#unmask").addEventListener("click", unmask);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writing = event.target.matches("textarea, input:not([type=radio]), select");
    if (writing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    if (KEYS[key]) choose(...KEYS[key]);
    else if (key === "u") unmask();
    else if (key === "j" || key === "k") go(key === "j" ? 1 : -1);
    else if (key === "/") form.elements.note.focus();
    else if (key === "enter" && !event.target.matches("a, button, summary")) form.requestSubmit();
    else return;
    event.preventDefault();
  });
}
