// A text field with a list of what was found, for mouse and keyboard: arrows choose, Enter takes, Escape closes.
import { el, fill } from "../common/dom.mjs";
import { word } from "../common/words.mjs";

/** `search(text, signal)` gives rows with a `name` and a `kind`; `choose(row)` is told which one was taken. */
export function combo(input, list, { search, choose, wait = 200 }) {
  let rows = [];
  let active = -1;
  let timer;
  let control;

  const open = (is) => {
    list.hidden = !is;
    input.setAttribute("aria-expanded", String(is));
    if (!is) input.removeAttribute("aria-activedescendant");
  };
  const mark = (n) => {
    active = n;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === n)));
    const item = list.children[n];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  };
  const take = (n) => {
    open(false);
    choose(rows[n]);
  };
  const show = (found) => {
    rows = found;
    fill(list, rows.map((row, n) => el("li", { id: `${list.id}-${n}`, role: "option", "aria-selected": "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => take(n) },
      el("span", {}, row.name), el("span", { class: "soft small" }, [row.within, word("kind", row.kind)].filter(Boolean).join(" · ")))));
    open(rows.length > 0);
    mark(-1);
  };

  const look = () => {
    clearTimeout(timer);
    control?.abort();
    const text = input.value.trim();
    if (!text) return open(false);
    timer = setTimeout(async () => {
      control = new AbortController();
      try {
        show(await search(text, control.signal));
      } catch (error) {
        if (error.name !== "AbortError") open(false);
      }
    }, wait);
  };

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark((active + 1) % rows.length);
    else if (event.key === "ArrowUp") mark((active - 1 + rows.length) % rows.length);
    else if (event.key === "Enter" && active >= 0 && !event.ctrlKey) take(active);
    else if (event.key === "Escape") open(false);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => open(false));
  if (document.activeElement === input) look(); // on a slow line somebody was typing before this script had come
}
