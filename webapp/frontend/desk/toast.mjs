// Short messages at the edge: what was done, with a way back while there is one; what failed, and why.
import { el } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { now } from "./clock.mjs";

const ROOT = () => document.getElementById("toasts");
const STAY_MS = 6000;
let undoing = null;

/** Say something for a few seconds; `kind` is "done", "error" or "". */
export function say(text, kind = "") {
  const toast = el("div", { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status" }, el("span", {}, text),
    el("button", { type: "button", class: "quiet", "aria-label": t("Close"), onclick: () => toast.remove() }, "×"));
  ROOT().append(toast);
  setTimeout(() => toast.remove(), kind === "error" ? STAY_MS * 2 : STAY_MS);
  return toast;
}

/** Say what was done, with an undo button that counts down to `until` (server's time) and is also on the key u. */
export function sayUndo(text, { id, until }, undo) {
  undoing?.close();
  const end = new Date(until).getTime();
  const seconds = el("span", { class: "seconds" });
  const bar = el("i");
  const total = Math.max(end - now(), 1);
  const toast = el("div", { class: "toast done", role: "status" }, el("span", {}, text),
    el("button", { type: "button", class: "primary", dataset: { undo: "" }, onclick: () => run() }, t("Undo"), " ", el("kbd", {}, "u"), seconds),
    el("span", { class: "toast-bar", "aria-hidden": "true" }, bar));
  const close = () => { clearInterval(timer); toast.remove(); if (undoing?.toast === toast) undoing = null; };
  const run = async () => { close(); await undo(); };
  const tick = () => {
    const left = end - now();
    if (left <= 0) return close();
    seconds.textContent = t("%(n)s s", { n: Math.ceil(left / 1000) });
    bar.style.width = `${(left / total) * 100}%`;
    return undefined;
  };
  const timer = setInterval(tick, 250);
  undoing = { id: String(id), toast, run, close };
  ROOT().append(toast);
  tick();
}

/** Undo what can still be undone; false when there is nothing. */
export function undoLast() {
  if (!undoing) return false;
  undoing.run();
  return true;
}

/** These can no longer be undone: somebody accepted, returned or undid them. */
export function forgetUndo(ids) {
  if (undoing && ids.includes(undoing.id)) undoing.close();
}
