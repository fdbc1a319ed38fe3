// 我的: whose phone this is, whether it keeps what is entered, and the person's own choices.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { offset } from "./clock.mjs";
import { db, recall, remember, watch } from "./db.mjs";
import { head, tabs } from "./frame.mjs";
import { button, bytes, chip, choices, moment, span, sure, toast } from "./parts.mjs";
import { length } from "./outbox.mjs";
import { exportQueue } from "./rescue.mjs";
import { askPersistence, standing } from "./storage.mjs";
import { onState } from "./state.mjs";
import { nudge } from "./sync.mjs";
import { facts, setSharing, tracking } from "./track.mjs";

const CLOCK_WRONG_MS = 120_000;

/** The screen. */
export function open(main) {
  tabs("#/me");
  head(t("Me"));
  main.className = "me";
  let data = null;
  let state = {};
  let gone = false; // what was asked for here may be answered when another screen is open
  const draw = () => data && !gone && show(main, data, state, refresh);
  const refresh = async () => { data = { ...data, ...(await standing()) }; draw(); };
  const stops = [
    watch(load, async (found) => { data = { ...found, ...(await standing()) }; draw(); }),
    onState((now) => { state = { ...now }; draw(); }),
  ];
  return () => { gone = true; for (const stop of stops) stop(); };
}

async function load() {
  const keys = ["me", "device_name", "delivered_at", "app_version", "revoked"];
  const values = await Promise.all(keys.map((key) => recall(key)));
  return { ...Object.fromEntries(keys.map((key, i) => [key, values[i]])), whereabouts: tracking(await facts()), points: await db.positions.count(), unsent: await length(), drafts: await db.drafts.where("state").equals("draft").count() };
}

function show(main, data, state, refresh) {
  fill(main, person(data), whereabouts(data), signal(), delivery(data, state), storage(data, refresh), wishes(), away(data));
}

function person({ me, device_name: device, revoked }) {
  return el("section", { class: "panel" }, el("h2", {}, me?.full_name || me?.name || "—"),
    el("p", { class: "chips" }, me ? chip(word("role", me.role), "blue", "people") : null, me?.crew ? chip(me.crew.name) : null, revoked ? chip(t("signed off"), "red", "warn") : null),
    el("dl", {}, el("dt", {}, t("This phone")), el("dd", {}, device || "—")),
    revoked ? el("p", { class: "notice error" }, t("The desk has signed this phone off. What is unsent stays here. Ask for a new code and open its link on this phone, or export the queue to a file.")) : null,
    Math.abs(offset()) > CLOCK_WRONG_MS ? el("p", { class: "notice warn" }, t("This phone's clock differs from the desk's by %(time)s; the desk's time is used.", { time: span(offset()) })) : null);
}

/** What is told about where the crew is, in plain words, and the switch. */
function whereabouts({ whereabouts: now, points }) {
  if (now === "no_crew") return null;
  const words = { on: chip(t("The desk sees where you are"), "blue", "pin"), off: chip(t("Switched off: the desk does not see where you are"), "orange", "pin"),
    idle: chip(t("Nothing is sent now: no shift and no order"), "grey", "pin") }[now];
  const choose = async (value) => { await setSharing(value === "on"); nudge({ hopeful: true }); };
  return el("section", { class: "panel" }, el("h2", {}, t("Where you are")), el("p", { class: "chips" }, words),
    el("p", { class: "soft" }, t("While you are on shift or have an open order, this phone tells the desk where your crew is: with each step, and on the way about every 50 m or every minute. After some days only the places of arrival and completion are kept, with their order. Whoever looks at your track must say what for, and that is written down.")),
    choices(t("Tell the desk where you are"), [["on", t("Tell")], ["off", t("Do not tell")]], now === "off" ? "off" : "on", choose),
    points ? el("p", { class: "soft small" }, t("Waiting to be sent: %(n)s places", { n: points })) : null);
}

/** 信号采样 starts here: a crew and an inspector can both measure. */
function signal() {
  return el("section", { class: "panel" }, el("h2", {}, t("Mobile signal here")), el("a", { class: "big button wide", href: "#/signal" }, t("Measure the signal")));
}

function delivery({ delivered_at: at, unsent, drafts }, state) {
  return el("section", { class: "panel" }, el("h2", {}, t("Delivery")),
    el("dl", {}, el("dt", {}, t("To send")), el("dd", {}, String(unsent)), el("dt", {}, t("Drafts")), el("dd", {}, String(drafts)),
      el("dt", {}, t("Last contact")), el("dd", {}, at ? moment(at) : t("none yet"))),
    state.error ? el("p", { class: "notice error" }, state.error) : null,
    button(t("Send now"), () => nudge({ hopeful: true }), { kind: "primary", sign: "up" }),
    button(t("Everything unsent to a file"), async () => toast(t("Records written to a file: %(n)s", { n: await exportQueue() }), "done")));
}

function storage({ persistent, usage, quota }, refresh) {
  const share = quota ? Math.min(1, usage / quota) : 0;
  return el("section", { class: "panel" }, el("h2", {}, t("Storage")),
    el("p", { class: "chips" }, persistent ? chip(t("protected: the phone will not clear it"), "green", "check") : chip(t("not protected"), "orange", "warn")),
    persistent ? null : [el("p", { class: "soft" }, t("Under pressure this phone may clear what is not yet sent. Add the app to the home screen, then ask again.")),
      button(t("Ask for protection"), async () => { await askPersistence(); await refresh(); })],
    usage === null ? null : [el("meter", { min: 0, max: 1, high: 0.8, value: share, "aria-label": t("Storage used") }),
      el("p", { class: "soft" }, t("%(used)s of %(all)s used", { used: bytes(usage), all: bytes(quota ?? 0) }))]);
}

function wishes() {
  const read = (key, otherwise) => localStorage.getItem(key) ?? otherwise;
  const wish = (key, value) => { localStorage.setItem(key, value); location.reload(); };
  return el("section", { class: "panel" },
    el("p", { class: "label" }, t("Language")),
    choices(t("Language"), [["zh", "中文"], ["en", "English"]], read("chengmai-phone-language", "zh"), async (v) => { await remember("lists_at", null); wish("chengmai-phone-language", v); }),
    el("p", { class: "label" }, t("Theme")),
    choices(t("Theme"), [["auto", t("Auto")], ["light", t("Light")], ["dark", t("Dark")]], read("chengmai-phone-theme", "auto"), (v) => wish("chengmai-phone-theme", v)),
    el("p", { class: "label" }, t("Size of text")),
    choices(t("Size of text"), [["normal", t("Normal")], ["large", t("Large")], ["huge", t("Huge")]], read("chengmai-phone-size", "normal"), (v) => wish("chengmai-phone-size", v)));
}

function away({ unsent, drafts, app_version: version }) {
  return el("section", { class: "panel" },
    button(t("Sign this phone off"), () => signOff(unsent + drafts), { kind: "danger quiet", disabled: unsent + drafts > 0 }),
    unsent + drafts ? el("p", { class: "soft" }, t("Possible when nothing is unsent.")) : null,
    el("p", { class: "soft small" }, `${t("Chengmai field app")} ${version ?? ""}`));
}

async function signOff(unsent) {
  if (unsent || !(await sure(t("Sign this phone off?"), t("Orders and sites are removed from it; the desk must enrol it again."), t("Sign off")))) return;
  await Promise.all([db.orders.clear(), db.sites.clear(), db.sent.clear(), db.drafts.clear(), db.photos.clear(), db.outbox.clear(), db.positions.clear()]);
  await db.keep.filter(({ key }) => /^(last|correction) /.test(key)).delete();
  for (const key of ["token", "me", "on_shift", "sharing_told", "cursor", "lists_at", "delivered_at", "told_length", "visits", "patrols", "spots", "ground"]) await remember(key, null);
  location.reload();
}
