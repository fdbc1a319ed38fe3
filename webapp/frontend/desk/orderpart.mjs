// What can be done with a complaint's order besides its steps: another crew or time, locking, taking back; and whether it was accepted in time.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { duration, exact, now } from "./clock.mjs";
import { commit, deed, foresee } from "./placing.mjs";
import { told } from "./told.mjs";

/** The buttons of the order of complaint `c`. */
export function orderActions(c, desk) {
  const { order } = c;
  if (!desk.can.assign || !["assigned", "accepted"].includes(order.status)) return null;
  const thing = { complaint: c, order };
  const place = c.place || c.hotline_no;
  return el("div", { class: "row wrap order-acts" },
    order.locked ? null : el("button", { type: "button", class: "small", dataset: { act: "move" }, onclick: () => desk.board.form(c.id) }, t("Move to another crew or time…")),
    el("button", { type: "button", class: "small", dataset: { act: "lock" }, onclick: () => deed(desk, thing, "lock", { locked: !order.locked }, order.locked ? t("Unlocked: %(place)s", { place }) : t("Locked: %(place)s", { place })) }, order.locked ? t("Unlock the order") : t("Lock the order")),
    order.locked ? null : el("button", { type: "button", class: "small", dataset: { act: "take-back" }, onclick: () => deed(desk, thing, "take-back", {}, t("Taken back: %(place)s waits again", { place })) }, t("Take the order back")));
}

/** Until when the crew should have accepted; when that has passed, the next best crew with one click. */
export function acceptance(c, desk) {
  const { order } = c;
  if (order.status !== "assigned" || !order.accept_by) return null;
  if (!order.lapsed) {
    const left = new Date(order.accept_by).getTime() - now();
    return el("p", { class: "small soft", title: exact(order.accept_by) }, left > 0 ? t("To be accepted within %(time)s", { time: duration(left) }) : t("The time to accept has just passed"));
  }
  const next = el("span", {}, t("Looking for crews…"));
  const notice = el("div", { class: "notice error lapsed-notice", role: "status" }, el("strong", {}, t("Not accepted in time")), " ", next);
  if (!order.locked) offer(c, desk, next); else fill(next, t("locked to crew and time"));
  return notice;
}

async function offer(c, desk, root) {
  try {
    const { crews: [best] } = await ask(`/complaints/${c.id}/crews.json?limit=1`);
    if (!best || best.violations.length) { fill(root, t("No other crew can be sent now.")); return; }
    const thing = { complaint: c, order: c.order }, target = { crewId: best.id, start: null };
    fill(root, t("The next best is %(crew)s, %(m)s min away.", { crew: best.name, m: best.minutes === null ? "–" : Math.round(best.minutes) }), " ",
      desk.can.assign ? el("button", { type: "button", class: "primary small", dataset: { act: "next-best" }, onclick: async () => commit(desk, thing, target, await foresee(thing, target)) }, t("Send %(crew)s instead", { crew: best.name })) : null);
  } catch (problem) {
    fill(root, told(problem));
  }
}
