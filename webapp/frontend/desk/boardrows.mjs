// How the board looks: the hours, a row for each crew, a block for each order. Drawing only; board.mjs decides.
import { el } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { now, short } from "./clock.mjs";

/** Pixels from the beginning of the day. */
export const scale = (data, ppm) => {
  const since = new Date(data.since).getTime();
  return { x: (at) => ((new Date(at).getTime() - since) / 60_000) * ppm, at: (x) => since + (x / ppm) * 60_000, width: ((new Date(data.until).getTime() - since) / 60_000) * ppm };
};

function put(node, left, width) {
  node.style.left = `${left.toFixed(1)}px`;
  if (width !== undefined) node.style.width = `${Math.max(width, 2).toFixed(1)}px`;
  return node;
}

/** The hours above the rows; every second or fourth is named where there is little room. */
export function hours(data, ppm) {
  const { x, width } = scale(data, ppm);
  const each = ppm * 60 >= 44 ? 1 : 2;
  const ticks = [];
  for (let at = new Date(data.since).getTime(); at < new Date(data.until).getTime(); at += 3_600_000 * each) ticks.push(put(el("span", {}, short(at).slice(-5)), x(at)));
  const node = el("div", { class: "board-hours", "aria-hidden": "true" }, el("span", { class: "board-corner" }), el("div", { class: "board-lane" }, ticks));
  node.lastElementChild.style.width = `${width}px`;
  return node;
}

/** One crew: its name, when it is on duty, what it does. */
export function row(crew, data, ppm, { orders, shifts, selected, onselect, oncrew }) {
  const { x, width } = scale(data, ppm);
  const lane = el("div", { class: "board-lane", dataset: { lane: crew.id } },
    shifts.map((s) => put(el("i", { class: "shift", title: t("On shift %(start)s – %(end)s", { start: short(s.start), end: short(s.end) }) }), x(s.start), x(s.end) - x(s.start))),
    orders.map((order) => block(order, ppm, x, { selected, onselect })));
  lane.style.width = `${width}px`;
  lane.style.setProperty("--hour", `${ppm * 60}px`);
  return el("li", { class: "board-row", dataset: { crew: crew.id } },
    el("button", { type: "button", class: "board-name", title: [crew.name, word("kind", crew.kind)].join(" · "), onclick: () => oncrew(crew) }, el("span", {}, crew.name), el("small", {}, orders.filter((o) => o.status !== "resolved").length || "")), lane);
}

/** What a block is called: the screen reader hears what the eye sees. */
export const blockWords = (o) => [`${short(o.start)} – ${short(o.end)}`, o.place || o.hotline_no, o.category_name, word("order", o.status), o.locked ? t("locked to crew and time") : null, o.lapsed ? t("not accepted in time") : null].filter(Boolean).join(t(", "));

function block(order, ppm, x, { selected, onselect }) {
  const left = x(order.start), width = x(order.end) - left;
  if (!order.seen) return put(el("span", { class: "block unseen", title: t("An order outside your area") }, el("span", { class: "visually-hidden" }, t("An order outside your area"))), left, width);
  const here = selected === String(order.complaint_id);
  const way = el("i", { class: "way" });
  way.style.width = `${Math.min((order.minutes ?? 0) * ppm, width)}px`;
  const late = new Date(order.end) > new Date(order.resolve_by);
  return put(el("button", { type: "button", class: `block ${order.status}${order.locked ? " locked" : ""}${order.lapsed ? " lapsed" : ""}${late ? " late" : ""}`, dataset: { order: order.id, complaint: order.complaint_id },
    tabindex: here ? 0 : -1, "aria-current": here ? "true" : null, "aria-label": blockWords(order), title: blockWords(order), onclick: () => onselect(order.complaint_id) },
  way, el("span", { class: "block-text" }, order.locked ? el("i", { class: "lock-sign" }) : null, order.lapsed ? "! " : null, el("span", { class: "block-time" }, `${short(order.start)}–${short(order.end)} `), order.place || order.hotline_no)), left, width);
}

/** What the blocks' looks mean. */
export const legend = () => el("span", { class: "board-legend small" }, ["assigned", "accepted", "arrived", "resolved"].map((status) => el("span", {}, el("i", { class: `block ${status}` }), word("order", status))),
  el("span", {}, el("i", { class: "block assigned late" }), t("done after its limit")), el("span", {}, el("i", { class: "block assigned locked" }), t("locked to crew and time")), el("span", {}, el("i", { class: "block lapsed" }), t("not accepted in time")));

/** Where something would go: its times, and in red what speaks against it. */
export function ghostBlock(found, ppm, x, words, pending) {
  const left = x(found.start);
  return put(el("div", { class: `block ghost${found.violations?.length ? " against" : ""}${found.held ? " held" : ""}${pending ? " pending" : ""}`, tabindex: -1, role: "group", "aria-label": words }, el("span", { class: "block-text" }, found.arrive ? `${short(found.start)} → ${short(found.arrive)} → ${short(found.end)}` : short(found.start))), left, Math.max(x(found.end) - left, 8));
}

/** The line of the present moment. */
export function nowLine(data, ppm) {
  const { x, width } = scale(data, ppm);
  const at = x(now());
  if (at < 0 || at > width) return null;
  return put(el("div", { class: "board-now", "aria-hidden": "true" }), at);
}

/** A complaint that waits for a crew. */
export function trayItem(c, selected, onselect) {
  return el("li", {}, el("button", { type: "button", class: `tray-item ${c.time_state}`, dataset: { complaint: c.id }, "aria-current": selected === String(c.id) ? "true" : null, onclick: () => onselect(c.id) },
    el("strong", {}, c.place || c.hotline_no), el("span", { class: "small soft" }, `${c.category_name} · ${t("by %(at)s", { at: short(c.resolve_by) })}`)));
}
