// One line that says one thing: the most important that is true now.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { now as clockNow } from "./clock.mjs";
import { db, recall, watch } from "./db.mjs";
import { lately } from "./merged.mjs";
import { onQueueing, photosLeft, queue } from "./outbox.mjs";
import { clock, icon } from "./parts.mjs";
import { onState } from "./state.mjs";

/** What the banner says: `{text, kind, sign}` or `null`. Pure, so that it can be tested as a table. */
export function sentence(state, facts, now = Date.now()) {
  const { waiting: n, held, delivered_at: at, photos = 0 } = facts;
  const left = photos ? t("photos left: %(n)s", { n: photos }) : "";
  if (facts.trouble) return { text: facts.trouble, kind: "red", sign: "warn" };
  if (state.phase === "revoked") return { text: t("This phone was signed off · %(n)s kept", { n: n + held }), kind: "red", sign: "warn" };
  if (state.phase === "offline") return { text: n ? t("Offline · %(n)s to send", { n }) : [t("Offline"), left].filter(Boolean).join(" · "), kind: "grey", sign: "cross" };
  if (state.phase === "sending") {
    const text = t("Sending %(i)s/%(n)s", { i: Math.min(state.done + 1, state.total), n: state.total });
    return { text: state.photos ? `${text} · ${t("photos left: %(n)s", { n: state.photos })}` : text, kind: "blue", sign: "up" };
  }
  if (state.phase === "waiting" && state.refused) return { text: state.error, kind: "orange", sign: "warn" };
  if (state.phase === "waiting") {
    const seconds = Math.max(0, Math.round(((state.next_at ?? now) - now) / 1000));
    const text = n ? t("Server busy · %(n)s to send · again in %(seconds)s s", { n, seconds }) : t("Server busy · again in %(seconds)s s", { seconds });
    return { text, kind: "orange", sign: "clock" };
  }
  if (held) return { text: t("Needs you: %(n)s", { n: held }), kind: "orange", sign: "warn", href: "#/fill" };
  if (n) return { text: t("%(n)s to send", { n }), kind: "blue", sign: "up" };
  if (left) return { text: left, kind: "blue", sign: "up" };
  if (!at) return null;
  const all = t("All delivered %(time)s", { time: clock(at) });
  if (facts.merged) return { text: `${all} · ${t("merged with the office's changes: %(n)s", { n: facts.merged })}`, kind: "green", sign: "check", href: "#/fill" };
  return { text: all, kind: "green", sign: "check" };
}

/** Keep the banner true. */
export function begin() {
  const node = document.getElementById("banner");
  let state = { phase: "idle" };
  let facts = { read: 0, waiting: 0, held: 0 };
  let reads = 0;
  let making = 0; // changes on their way into the queue that the facts may not know yet: at least one is to be sent
  const draw = () => {
    const said = sentence(state, { ...facts, waiting: making ? Math.max(1, facts.waiting) : facts.waiting, trouble });
    node.hidden = !said || !facts.enrolled;
    if (node.hidden) return;
    node.className = `banner ${said.kind}`;
    const now = said.text + (said.href ?? "");
    if (node.dataset.said === now) return; // a screen reader hears it once
    node.dataset.said = now;
    const inside = [icon(said.sign, 18), el("span", {}, said.text)];
    fill(node, said.href ? el("a", { href: said.href }, inside) : inside);
  };
  redraw = draw;
  onState((now) => { state = { ...now }; draw(); });
  const read = async () => {
    reads += 1;
    const now = reads;
    const changes = await queue();
    return {
      read: now, waiting: changes.filter((c) => c.state === "waiting").length, held: changes.filter((c) => c.state === "held").length,
      photos: (await photosLeft()).length,
      delivered_at: await recall("delivered_at"), merged: lately(await db.sent.toArray(), clockNow()), enrolled: Boolean(await db.keep.get("token")),
    };
  };
  const know = (found) => {
    if (found.read > facts.read) facts = found;
    draw();
  };
  watch(read, know);
  onQueueing(async (done) => {
    making += 1;
    draw();
    await done.catch(() => {}); // whoever made it tells what went wrong
    const found = await read().catch(() => facts);
    making -= 1;
    know(found);
  });
  setInterval(() => state.phase === "waiting" && draw(), 1000);
}

const ALARM_MS = 60_000;
let trouble = null;
let calm = null;
let redraw = () => {};

/** Something that stops the work itself (storage full, a broken write): it comes before everything else for a while. */
export function alarm(text) {
  trouble = text;
  redraw();
  clearTimeout(calm);
  calm = setTimeout(() => { trouble = null; redraw(); }, ALARM_MS);
}
