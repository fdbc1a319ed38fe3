// One order: what, where, by when, whom to call, and what can be done with it now. Every deed works without signal.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { begin, beginVisit } from "./begin.mjs";
import { offeredLists, titleOf } from "./lists.mjs";
import { now } from "./clock.mjs";
import { db, watch } from "./db.mjs";
import { bar, head } from "./frame.mjs";
import { categoryName, changeName, verbName } from "./names.mjs";
import { canWithdraw, enqueue, queueing, withdraw } from "./outbox.mjs";
import { button, chip, choices, countdown, distance, icon, moment, sheet, toast } from "./parts.mjs";
import { follow, lastPosition } from "./position.mjs";
import { note, sharing } from "./track.mjs";
import { RETURN_REASONS, steps, timeState, wayTo, withChanges } from "./rules.mjs";
import { nudge } from "./sync.mjs";
import { acceptChip } from "./today.mjs";

const SIGN = { accept: "check", arrive: "pin", resolve: "check" };

/** The screen. */
export function open(main, id) {
  let data = null;
  const draw = () => data && show(main, data);
  const stops = [watch(() => load(Number(id)), (found) => { data = found; draw(); }), follow(draw)];
  const timer = setInterval(draw, 30_000);
  note("open", Number(id)).catch(console.error);
  return () => { clearInterval(timer); for (const stop of stops) stop(); };
}

async function load(id) {
  const [order, changes, drafts, lists] = await Promise.all([
    db.orders.get(id), db.outbox.where("thing").equals(`order:${id}`).sortBy("seq"), db.drafts.where("order_id").equals(id).toArray(),
    db.checklists.toArray(),
  ]);
  return { order: order && withChanges(order, changes), drafts, lists };
}

function show(main, { order, drafts, lists }) {
  if (!order) {
    head(t("Order"), { back: "#/today" });
    bar(el("a", { class: "big button", href: "#/today" }, t("My day")));
    fill(main, el("p", { class: "empty" }, el("strong", {}, t("This order is no longer on this phone.")), t("It was returned, recalled, or finished.")));
    return;
  }
  head(order.order_no, { back: "#/today" });
  main.className = "order";
  fill(main, what(order), whom(order), pending(order), inspections(order, drafts, lists));
  actions(order);
}

function what(order) {
  const { complaint } = order;
  const over = !steps(order.status).length;
  const state = over ? "grey" : timeState(order.start, complaint.resolve_by, now());
  const here = lastPosition();
  const way = here && complaint.lon !== null ? ` · ${distance(wayTo(here, complaint).metres)}` : "";
  return el("section", { class: `panel clocked ${state}` },
    el("h2", {}, complaint.place || complaint.hotline_no),
    el("p", { class: "chips" }, over ? null : chip(countdown(complaint.resolve_by), state, "clock"), chip(word("order", order.status)), acceptChip(order), chip(categoryName(complaint))),
    order.gone ? el("p", { class: "notice error" }, t("The desk has withdrawn this order. What you did is kept until it is settled.")) : null,
    el("p", { class: "text" }, complaint.description),
    el("dl", {},
      el("dt", {}, t("To be done by")), el("dd", {}, moment(complaint.resolve_by)),
      el("dt", {}, t("Booked")), el("dd", {}, `${moment(order.start)} – ${moment(order.end)}`),
      el("dt", {}, t("Hotline file")), el("dd", {}, complaint.hotline_no)),
    complaint.lon === null ? el("p", { class: "notice" }, icon("warn", 18), " ", t("The place is not on the map; ask the caller for the way."))
      : el("a", { class: "big button", href: `geo:${complaint.lat},${complaint.lon}?q=${complaint.lat},${complaint.lon}(${encodeURIComponent(complaint.place)})` }, icon("pin"), t("Show the way"), way));
}

/** The caller's number is shown once the desk knows that the crew accepted; that is written in its journal. */
function whom(order) {
  if (!order.mine || !steps(order.status).length) return null;
  const { caller } = order;
  if (caller?.phone) {
    return el("section", { class: "panel" }, el("a", { class: "big button call", href: `tel:${caller.phone.replace(/[^\d+]/g, "")}` }, icon("phone"),
      el("span", {}, t("Call %(name)s", { name: caller.name || t("the caller") }), el("small", {}, [caller.phone, caller.door_no].filter(Boolean).join(" · ")))));
  }
  if (caller) return el("section", { class: "panel" }, el("p", { class: "soft" }, [caller.name, caller.door_no].filter(Boolean).join(" · ") || t("The caller left no number.")));
  const text = order.status === "assigned" ? t("The caller's number is shown after you accept.")
    : order.waiting.length || order.partial ? t("The caller's number comes when your acceptance has been delivered.") : t("The caller left no number.");
  return el("section", { class: "panel" }, el("p", { class: "soft" }, icon("phone", 18), " ", text));
}

function pending(order) {
  if (!order.waiting.length) return null;
  const last = order.waiting.at(-1);
  return el("section", { class: "panel" }, el("h2", {}, t("On this phone only")),
    order.waiting.map((change) => el("div", { class: "row" },
      el("a", { class: "grow", href: `#/change/${change.id}` }, t("%(what)s · %(time)s", { what: changeName(change.kind), time: moment(change.at) })),
      change.state === "held" ? chip(t("needs you"), "orange", "warn") : chip(t("to send"), "blue", "up"),
      change === last && canWithdraw(change) && change.state === "waiting" ? button(t("Undo"), () => undo(change), { kind: "small" }) : null)));
}

async function undo(change) {
  if (!(await withdraw(change))) toast(t("It is already on its way and can no longer be taken back."), "error");
}

function inspections(order, drafts, lists) {
  const about = { order_id: order.id, title: order.complaint.place || order.order_no, place: order.order_no, scope: "indoor", stage: "during",
    heating: order.complaint.category.startsWith("heat"), category: order.complaint.category };
  const visits = offeredLists(lists, about).filter((list) => list.kind === "visit");
  return el("section", { class: "panel" }, el("h2", {}, t("Six pledges")),
    drafts.map((draft) => el("a", { class: "item line", href: draft.state === "draft" ? `#/check/${draft.id}/${draft.page}` : "#/fill" },
      el("span", { class: "grow" }, t("Checklist %(time)s", { time: moment(draft.started_at ?? draft.sent_at) })), chip(t(draft.state === "ready" ? "to send" : draft.state === "sent" ? "delivered" : "draft")))),
    button(t("Start a checklist"), () => begin(about), { sign: "fill" }),
    visits.length ? el("p", { class: "label" }, t("Standard visit")) : null,
    visits.map((list) => button(titleOf(list), () => beginVisit(about, list), { sign: "next", "data-visit": list.code })));
}

function actions(order) {
  const allowed = order.mine && !order.gone && !order.waiting.some((c) => c.state === "held") ? steps(order.status) : [];
  const main = ["accept", "arrive", "resolve"].find((verb) => allowed.includes(verb));
  bar(
    allowed.includes("return") ? button(t("Give back"), () => giveBack(order), { kind: "quiet" }) : null,
    main ? button(verbName(main), () => act(order, main), { kind: "primary wide", sign: SIGN[main], "data-verb": main })
      : el("a", { class: "big button wide", href: "#/today" }, t("My day")));
}

async function act(order, verb) {
  let note = "";
  if (verb === "resolve") {
    note = await finishing();
    if (note === null) return;
  }
  await queueing(async () => {
    const place = (await sharing()) ? position() : null;
    await put(order, verb, { ...(note ? { note } : {}), ...(place ? { position: place } : {}) });
  });
}

function position() {
  const here = lastPosition();
  return here && { lon: here.lon, lat: here.lat, accuracy_m: here.accuracy_m };
}

async function put(order, verb, payload) {
  await enqueue(`order.${verb}`, order.id, order.version, payload);
  nudge({ hopeful: true });
}

function finishing() {
  return sheet(t("Work done"), (close) => {
    const box = el("textarea", { rows: 4, maxlength: 2000, "aria-label": t("What was done"), placeholder: t("What was done (may stay empty)") });
    return [box, el("div", { class: "stack" }, button(t("Work done"), () => close(box.value.trim()), { kind: "primary", sign: "check" }), button(t("Not yet"), () => close(null)))];
  });
}

/** Give the order back: a coded reason, and a sentence where the code says nothing. */
async function giveBack(order) {
  const given = await sheet(t("Why do you give it back?"), (close) => {
    let reason = null;
    const box = el("textarea", { rows: 3, maxlength: 2000, "aria-label": t("Note"), placeholder: t("Note") });
    const go = button(t("Give back"), () => close({ reason, note: box.value.trim() }), { kind: "danger", disabled: true });
    const list = el("div", {});
    const check = () => { go.disabled = !reason || (reason === "other" && !box.value.trim()); };
    const draw = () => fill(list, choices(t("Reason"), RETURN_REASONS.map((code) => [code, word("reason", code)]), reason, (code) => { reason = code; draw(); check(); }));
    list.className = "reasons";
    box.addEventListener("input", check);
    draw();
    return [list, box, el("div", { class: "stack" }, go, button(t("Keep the order"), () => close(null)))];
  });
  if (given) await put(order, "return", given);
}
