// The editor of steps: add, move, copy and take away without leaving the page. Without scripts the server does the same.
const form = document.getElementById("steps");
const list = document.getElementById("list");
const empty = document.getElementById("empty");
let next = list.children.length;

/** Fields of an item are numbered; the order is the order of the hidden `step` fields. */
function renumbered(card) {
  const n = String(next++);
  for (const node of card.querySelectorAll("[name]")) node.name = node.name.replace(/\.\w+$/, `.${n}`);
  card.querySelector('[name="step"]').value = n;
  for (const node of card.querySelectorAll("button[value]")) node.value = node.value.replace(/\.\w+$/, `.${n}`);
  return card;
}

function fit(card) {
  const kind = card.querySelector("[data-kind]").value;
  const groups = { number: ["integer", "decimal"], yes_no: ["yes_no"] };
  for (const part of card.querySelectorAll("[data-for]")) part.hidden = !groups[part.dataset.for].includes(kind);
}

function order() {
  [...list.children].forEach((card, n) => { card.querySelector(".step-no").textContent = n + 1; });
  form.dataset.changed = "1";
}

const DEEDS = {
  add: () => { const card = renumbered(empty.content.firstElementChild.cloneNode(true)); list.append(card); fit(card); card.querySelector("input[name^=zh]").focus(); },
  up: (card) => card.previousElementSibling?.before(card),
  down: (card) => card.nextElementSibling?.after(card),
  copy: (card) => {
    const copy = card.cloneNode(true);
    const chosen = card.querySelectorAll("select");
    copy.querySelectorAll("select").forEach((node, n) => { node.value = chosen[n].value; });
    card.after(renumbered(copy));
  },
  remove: (card) => {
    const undo = { card, after: card.previousElementSibling };
    card.remove();
    removed(undo);
  },
};

function removed({ card, after }) {
  document.querySelector(".undo")?.remove();
  const button = Object.assign(document.createElement("button"), { type: "button", className: "undo", textContent: `↶ ${card.querySelector("input[name^=zh]").value || "…"}` });
  button.addEventListener("click", () => { if (after?.isConnected) after.after(card); else list.prepend(card); button.remove(); order(); });
  list.after(button);
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=do]");
  if (!button || button.value === "save") return;
  event.preventDefault();
  DEEDS[button.value.split(".")[0]](button.closest("[data-step]"));
  order();
  if (button.isConnected) button.focus();
});
form.addEventListener("change", (event) => { if (event.target.matches("[data-kind]")) fit(event.target.closest("[data-step]")); form.dataset.changed = "1"; });
form.addEventListener("submit", () => { delete form.dataset.changed; });
addEventListener("beforeunload", (event) => { if (form.dataset.changed) event.preventDefault(); });
for (const card of list.children) fit(card);
