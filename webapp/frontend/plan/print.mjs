// The one button of the crew sheets.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
