// The page of one complaint: printing, Esc closes a step's form, and an opened form has the keyboard at once.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

for (const step of document.querySelectorAll(".record-steps details")) {
  step.addEventListener("toggle", () => {
    if (step.open && !step.contains(document.activeElement?.closest("form"))) step.querySelector("select, textarea, input:not([type=hidden]), button")?.focus();
  });
  step.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !step.open) return;
    step.open = false;
    step.querySelector("summary").focus();
  });
}
document.querySelector("[autofocus]")?.focus();
