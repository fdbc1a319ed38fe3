// The person's own choices, applied before the first paint: language, theme, size of text. They never leave the phone.
(() => {
  const root = document.documentElement;
  const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  root.lang = read("chengmai-phone-language") === "en" ? "en" : "zh-CN";
  const theme = read("chengmai-phone-theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.dataset.size = read("chengmai-phone-size") ?? "normal";
})();
