// One complaint in the list: how much time is left, where, what, since when.
import { el, fill } from "../common/dom.mjs";
import { STATES, svg } from "../common/shapes.mjs";
import { t, word } from "../common/words.mjs";
import { countdown, exact, stateWords, timeTag } from "./clock.mjs";
import { unitName } from "./things.mjs";

/** The coloured bar of a countdown, with its words. The colour is never alone: a shape and the words say the same. */
export function clockBar(card, { size = 14 } = {}) {
  const clock = countdown(card);
  return el("span", { class: `clock ${clock.state}`, title: t("Due %(at)s", { at: exact(card.resolve_by) }) },
    svg(STATES[clock.state], { size, label: stateWords(clock.state) }),
    el("span", { class: "clock-words" }, clock.words),
    el("span", { class: "clock-bar" }, el("i", { style: `width:${Math.round(clock.used * 100)}%` })));
}

/** The list item. Its link is a real one: it opens in another tab, and Enter works as everywhere. */
export function cardItem(card, view, onOpen) {
  const item = el("li", { dataset: { id: card.id } });
  drawCard(item, card, view, onOpen);
  return item;
}

/** Draw (again) what is inside the list item. */
export function drawCard(item, card, view, onOpen) {
  const clock = countdown(card);
  item.dataset.drawn = drawnKey(card);
  fill(item, el("a", {
    class: `case ${clock.state}`, href: view.href({ selected: { kind: "complaint", id: card.id }, pane: "detail" }),
    onclick: (event) => {
      if (view.onPick?.(card, event)) { event.preventDefault(); return; }
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onOpen(card, event.detail === 0); // 0: the Enter key, not a pointer
    },
  },
  el("span", { class: "case-top" }, clockBar(card), card.lapsed ? el("span", { class: "chip red", title: t("Not accepted in time") }, t("Not accepted in time")) : null, el("span", { class: "chip status" }, word("status", card.status))),
  el("span", { class: "case-mid" }, el("strong", { class: "case-place" }, card.place || t("No place told")),
    card.crew ? el("span", { class: "case-crew" }, card.crew.name) : card.unit ? el("span", { class: "case-unit" }, unitName(card.unit)) : null),
  el("span", { class: "case-foot" },
    el("span", { class: "case-what" }, card.category_name), card.located === "not_located"
      ? el("span", { class: "chip yellow", title: t("Not on the map: only in this list") }, t("Not located")) : null,
    el("span", {}, card.hotline_no), timeTag(el, card.received_at)),
  ), view.picks ? el("input", { type: "checkbox", class: "pick", checked: view.picks.has(card.id), "aria-label": t("Choose %(place)s", { place: card.place || card.hotline_no }),
    onclick: (event) => { if (event.shiftKey) { view.onPick(card, event); } else view.picks.set(card.id, event.target.checked); } }) : null);
}

/** Everything of a card that is drawn: when it is the same, the item is left alone. */
export const drawnKey = (card) => JSON.stringify([card.version, card.status, card.place, card.category_name, card.crew?.name, card.unit, card.resolve_by, card.lapsed]);

/** Move the countdown and "how long ago" on, without drawing the card again. */
export function tickCard(item, card) {
  const clock = countdown(card);
  const link = item.firstElementChild;
  if (!link) return;
  link.className = `case ${clock.state}`;
  link.querySelector(".clock")?.replaceWith(clockBar(card));
}
