// Every action by keyboard. Letters work wherever nobody is typing; `?` shows them all, from the same table.
import { el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";

const TOGETHER_MS = 900;
const typing = (node) => node?.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");

/** `[keys, words, action]`; an action that returns false leaves the key to the browser. */
export function table(desk) {
  return [
    [["j"], t("Next complaint"), () => desk.step(1)],
    [["k"], t("Previous complaint"), () => desk.step(-1)],
    [["Enter"], t("Read the selected complaint"), () => desk.enter()],
    [["1 … 9"], t("Assign the crew with this number"), null],
    [["u"], t("Undo the last assignment"), () => desk.undo()],
    [["r"], t("Rank the crews again"), () => desk.rerank()],
    [["g l"], t("Go to the list"), () => desk.go("list")],
    [["g m"], t("Go to the map"), () => desk.go("map")],
    [["g b"], t("Go to the board"), () => desk.go("board")],
    [["b"], t("Move the selected order on the board"), () => desk.board.take()],
    [["x"], t("Choose the selected complaint, or not"), () => desk.pick()],
    [["g d"], t("Go to the selected complaint"), () => desk.go("detail")],
    [["/"], t("Search"), () => desk.search.focus()],
    [["?"], t("Show all keys"), () => desk.help()],
    [["Esc"], t("Close what is open"), null],
  ];
}

/** Listen on the whole page. */
export function listen(desk) {
  const actions = new Map(table(desk).flatMap(([keys, , action]) => (action ? keys.map((key) => [key, action]) : [])));
  let before = null, at = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") { desk.escape(); return; }
    const pair = before && performance.now() - at < TOGETHER_MS ? `${before} ${event.key}` : null;
    before = event.key === "g" ? "g" : null;
    at = performance.now();
    const action = actions.get(pair) ?? (/^[1-9]$/.test(event.key) ? () => desk.choose(Number(event.key)) : actions.get(event.key));
    if (!action || (event.key === "Enter" && event.target.closest("button, a, summary"))) return;
    if (action() !== false) event.preventDefault();
  });
}

/** The sheet of all keys. */
export function helpDialog(dialog, desk) {
  fill(dialog, el("h2", { id: "help-title" }, t("Keys")), el("table", {}, el("tbody", {}, ...table(desk).map(([keys, words]) =>
    el("tr", {}, el("th", { scope: "row" }, ...keys.flatMap((key) => key.split(" ").map((part) => part === "…" ? " … " : el("kbd", {}, part)))), el("td", {}, words))))),
  el("p", { class: "small soft" }, t("On the map: arrows move, + and − zoom. Everything on the map is also in the lists.")),
  el("form", { method: "dialog" }, el("button", { class: "primary", autofocus: true }, t("Close"))));
  return () => dialog.showModal();
}
