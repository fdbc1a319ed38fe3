// Giving an order a crew and a time, whichever way it was asked for: by drag, by keyboard, by the form. One way to do it, one way back.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { localDay, now, short } from "./clock.mjs";
import { say, sayUndo } from "./toast.mjs";
import { told } from "./told.mjs";

export const STEP_MIN = 5;
const FASTER = new Set(["stale_version", "already_assigned", "wrong_step", "wrong_order_step"]);

/** A moment on the board's grid of five minutes. */
export const snapped = (ms) => Math.round(ms / (STEP_MIN * 60_000)) * STEP_MIN * 60_000;

/** What it would mean to put `thing` there. Without a time: the crew's first free one. */
export async function foresee(thing, { crewId, start }, signal) {
  const { complaint, order } = thing;
  if (start === null || start === undefined) {
    const { crews: [crew] } = await ask(`/complaints/${complaint.id}/crews.json?crew=${crewId}`, { signal });
    return { crew_id: crew.id, crew: crew.name, start: crew.slot?.start, end: crew.slot?.end, minutes: crew.minutes, violations: crew.violations, codes: crew.codes, refused: crew.refused, held: !crew.slot,
      arrive: crew.slot && new Date(new Date(crew.slot.start).getTime() + (crew.minutes ?? 0) * 60_000).toISOString() };
  }
  const query = new URLSearchParams({ crew: crewId, start: new Date(Math.max(start, now())).toISOString(), ...(order ? { order: order.id } : {}) });
  return ask(`/complaints/${complaint.id}/place.json?${query}`, { signal });
}

/** Arrival, end, and what speaks against it: the ghost's words, the form's and the screen reader's. */
export function inWords(found) {
  const times = found.start ? t("%(crew)s: sets out %(start)s, there %(arrive)s, done %(end)s", { crew: found.crew, start: short(found.start), arrive: short(found.arrive), end: short(found.end) }) : found.crew;
  const against = found.held_by ? [found.held_by, ...found.violations.slice(0, -1)] : found.violations; // who holds it says more than that it is held
  return [times, ...against].join(t("; "));
}

/** Do it, after asking for a reason where something speaks against it. True when it is done. */
export async function commit(desk, thing, target, found) {
  if (found.held) {
    say(t("%(crew)s cannot take it then: %(why)s", { crew: found.crew, why: found.held_by ?? found.violations.join(t("; ")) }), "error");
    return false;
  }
  if (found.refused) { // blacklisted, or its works there are stopped: no reason helps, so none is asked for
    say(t("%(crew)s cannot be sent: %(why)s", { crew: found.crew, why: found.violations.join(t("; ")) }), "error");
    return false;
  }
  let reason = null;
  if (found.violations.length) {
    reason = await askReason(desk, found);
    if (!reason) return false;
  }
  const { complaint, order } = thing;
  const body = { crew_id: target.crewId, ...(target.start === null || target.start === undefined ? {} : { start: new Date(target.start).toISOString() }), ...(reason ? { override_reason: reason } : {}) };
  const place = complaint.place || complaint.hotline_no;
  try {
    const done = order
      ? await ask(`/work-orders/${order.id}/move`, { method: "POST", body: { ...body, base_version: order.version } })
      : await ask("/work-orders", { method: "POST", body: { ...body, complaint_id: complaint.id, base_version: complaint.version } });
    const at = short(done.order.start);
    sayUndo(order ? t("Moved %(place)s to %(crew)s, %(at)s", { place, crew: done.order.crew, at }) : t("Sent %(crew)s to %(place)s at %(at)s", { place, crew: done.order.crew, at }),
      { id: done.order.id, until: done.order.undo_until }, () => undo(desk, done.order.id, place));
    return true;
  } catch (problem) {
    await refused(desk, complaint, problem);
    return false;
  } finally {
    desk.changed();
  }
}

/** Somebody was faster, or it is not possible: say who and why; the detail shows both versions where it is open. */
export async function refused(desk, complaint, problem) {
  say(told(problem), "error");
  if (FASTER.has(problem.code) && String(desk.detail.complaint?.id) === String(complaint.id)) await desk.detail.showStale(problem);
}

/** Take back what was done last with an order. */
export async function undo(desk, orderId, place) {
  try {
    await ask(`/work-orders/${orderId}/undo`, { method: "POST", body: {} });
    say(t("Undone: %(place)s is as it was", { place }), "done");
  } catch (problem) {
    say(told(problem), "error");
  }
  desk.changed();
}

/** One of the small verbs (lock, take-back), with its way back. */
export async function deed(desk, thing, verb, body, words) {
  const { complaint, order } = thing;
  const place = complaint.place || complaint.hotline_no;
  try {
    const done = await ask(`/work-orders/${order.id}/${verb}`, { method: "POST", body: { base_version: order.version, ...body } });
    sayUndo(words, { id: done.order.id, until: done.order.undo_until }, () => undo(desk, done.order.id, place));
  } catch (problem) {
    await refused(desk, complaint, problem);
  }
  desk.changed();
}

/** A dialog of its own for each question; resolves when it closes. */
function dialog(title, draw) {
  const root = el("dialog", { class: "help board-dialog", "aria-label": title });
  document.body.append(root);
  return new Promise((resolve) => {
    const close = (value) => { resolve(value); root.close(); root.remove(); };
    root.addEventListener("cancel", (event) => { event.preventDefault(); close(null); });
    fill(root, el("h2", {}, title), draw(close));
    root.showModal();
    root.querySelector("[data-first]")?.focus();
  });
}

function askReason(desk, found) {
  if (!desk.can.override) {
    say(t("You may not send a crew that does not fit: %(why)s", { why: found.violations.join(t("; ")) }), "error");
    return null;
  }
  return dialog(t("Something speaks against this"), (close) => {
    const input = el("input", { required: true, minlength: 2, maxlength: 200, "aria-label": t("Why all the same?"), placeholder: t("Why all the same?"), dataset: { first: "" } });
    return el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); close(input.value.trim()); } },
      el("ul", { class: "why" }, ...found.violations.map((text) => el("li", { class: "against" }, text))), input,
      el("div", { class: "row end" }, el("button", { type: "button", class: "quiet", onclick: () => close(null) }, t("Cancel")), el("button", { class: "primary" }, t("Do it with this reason"))));
  });
}

/** The same as a drag, as a form: which crew, when; what it would mean is told while it is being chosen. */
export async function moveDialog(desk, thing, crews) {
  const { complaint, order } = thing;
  const target = await dialog(order ? t("Move to another crew or time") : t("Send a crew at a time"), (close) => {
    const crew = el("select", { "aria-label": t("Crew"), dataset: { first: "" } }, ...crews.map((c) => el("option", { value: c.id, selected: order && String(c.id) === String(order.crew_id) }, c.name)));
    const day = el("input", { type: "date", "aria-label": t("Day"), value: localDay(order?.start ?? now()) });
    const time = el("input", { type: "time", step: STEP_MIN * 60, "aria-label": t("Sets out at"), value: clockTime(order?.start ?? snapped(now() + STEP_MIN * 60_000)) });
    const words = el("p", { class: "small", role: "status" });
    let asking = null;
    const look = async () => {
      asking?.abort();
      asking = new AbortController();
      if (!day.value || !time.value) return;
      try {
        const found = await foresee(thing, chosen(), asking.signal);
        words.classList.toggle("against", found.violations.length > 0);
        fill(words, inWords(found));
      } catch (problem) {
        if (problem.name !== "AbortError") fill(words, told(problem));
      }
    };
    const chosen = () => ({ crewId: Number(crew.value), start: desk.board.momentOf(day.value, time.value) });
    for (const field of [crew, day, time]) field.addEventListener("change", look);
    look();
    return el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); close(chosen()); } },
      el("p", {}, el("strong", {}, complaint.place || complaint.hotline_no)),
      el("label", {}, t("Crew"), crew), el("div", { class: "row" }, el("label", {}, t("Day"), day), el("label", {}, t("Sets out at"), time)), words,
      el("div", { class: "row end" }, el("button", { type: "button", class: "quiet", onclick: () => close(null) }, t("Cancel")),
        el("button", { type: "button", onclick: () => close({ crewId: Number(crew.value), start: null }) , hidden: Boolean(order) }, t("First free time")), el("button", { class: "primary" }, order ? t("Move it there") : t("Send the crew"))));
  });
  if (!target) return false;
  try {
    return await commit(desk, thing, target, await foresee(thing, target));
  } catch (problem) {
    say(told(problem), "error");
    return false;
  }
}

const clockTime = (at) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zoneOf() }).format(new Date(at));
const zoneOf = () => JSON.parse(document.getElementById("desk-config").textContent).timezone;
