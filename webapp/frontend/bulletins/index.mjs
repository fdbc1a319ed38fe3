// The bulletin's filters apply themselves; only a range has a last day.
const form = document.querySelector("form[data-filters]");

function fit() {
  const range = form.elements.period.value === "range";
  const to = form.elements.to;
  to.closest("label").hidden = !range;
  to.required = range;
  to.disabled = !range;
}

if (form) {
  fit();
  form.addEventListener("change", (event) => {
    fit();
    if (event.target.type !== "date" && form.checkValidity()) form.requestSubmit();
  });
  // Empty fields do not belong into the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
