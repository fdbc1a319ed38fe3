// The screen of the rules: while a limit is changed, what the change would have meant last month.
import { ask } from "../common/dom.mjs";
import { t } from "../common/words.mjs";

for (const form of document.querySelectorAll("form[data-effect]")) {
  const told = form.querySelector("[data-effect-told]");
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const asked = new URLSearchParams(["amount", "clock", "count_from", "extension_days", "further_days"].map((name) => [name, form.elements[name].value]));
    try {
      const found = await ask(`${form.dataset.effect}?${asked}`);
      if (mine === turn) told.textContent = t("Of %(received)s received since %(since)s: %(late_now)s late by the old limit, %(late_then)s by this one.", found);
    } catch (problem) {
      if (mine === turn) told.textContent = problem.message;
    }
  };
  form.addEventListener("change", look);
  form.closest("details").addEventListener("toggle", (event) => event.target.open && look());
}
