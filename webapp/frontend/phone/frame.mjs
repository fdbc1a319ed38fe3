// What stands around every screen: the head with title and way back, and the three tabs at thumb height with the badge.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { watch } from "./db.mjs";
import { queue } from "./outbox.mjs";
import { icon } from "./parts.mjs";

const headNode = document.getElementById("head");
const footNode = document.getElementById("foot");

/** Title, an optional way back (an address) and something at the right. */
export function head(title, { back = null, right = null } = {}) {
  document.title = `${title} · ${t("Chengmai")}`;
  fill(headNode,
    back ? el("a", { class: "back", href: back, "aria-label": t("Back") }, icon("back")) : null,
    el("h1", {}, title), right);
}

const TABS = [["#/today", "today", "My day"], ["#/fill", "fill", "Records"], ["#/me", "me", "Me"]];

/** Take no taps at the foot until the next screen has drawn its own. */
export function hold() {
  footNode.inert = true;
}

let opening = "";

/** Which address is being opened now. */
export function open(address) {
  opening = address;
}

/** Show another address instead of the one that is being opened; not when its reader has already gone elsewhere. */
export function instead(address) {
  if (location.hash === opening) location.replace(address);
}

/** The three tabs; `current` is the address of the one that is open. */
export function tabs(current) {
  footNode.hidden = false;
  footNode.inert = false;
  footNode.className = "foot tabs";
  footNode.setAttribute("aria-label", t("Main"));
  fill(footNode, TABS.map(([address, sign, name]) =>
    el("a", { href: address, "aria-current": address === current ? "page" : null }, icon(sign),
      el("span", {}, t(name)), address === "#/fill" ? el("b", { class: "badge", hidden: true }) : null)));
  showBadge(waiting);
}

/** A bar of buttons in place of the tabs. */
export function bar(...nodes) {
  footNode.hidden = false;
  footNode.inert = false;
  footNode.className = "foot bar";
  footNode.setAttribute("aria-label", t("Actions"));
  fill(footNode, ...nodes);
}

/** No foot at all (enrolment). */
export function noFoot() {
  footNode.hidden = true;
}

let waiting = 0;

function showBadge(count) {
  waiting = count;
  const badge = footNode.querySelector(".badge");
  if (!badge) return;
  badge.hidden = !count;
  badge.textContent = String(count);
  badge.setAttribute("aria-label", t("%(count)s to send", { count }));
}

/** Keep the badge (and the app's icon, where the system shows one) true. */
export function begin() {
  watch(() => queue(), (changes) => {
    showBadge(changes.length);
    if (changes.length) navigator.setAppBadge?.(changes.length).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
  });
}
