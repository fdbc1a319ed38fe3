// Light for the office, dark for the hall and the night shift: follows the system until somebody chooses.
const key = "chengmai-theme";
const root = document.documentElement;
const chosen = localStorage.getItem(key);
if (chosen) root.dataset.theme = chosen;

document.querySelector("[data-switch-theme]")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem(key, root.dataset.theme);
  root.dispatchEvent(new CustomEvent("themechange"));
});
