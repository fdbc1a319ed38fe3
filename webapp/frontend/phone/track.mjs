// Where the crew is, for the desk: noted while it is on shift or has an order, unless the person switched it off. Points wait
// here without signal and go in batches; the server takes the same point once, however often it is sent.
import { tidy } from "./canonical.mjs";
import * as api from "./api.mjs";
import { db, recall, remember, watch } from "./db.mjs";
import { follow, lastFix, thrifty } from "./position.mjs";
import { wayTo } from "./rules.mjs";

const MOVED_M = 50; // the same two figures as the server's
const EVERY_MS = 60_000;
const SAVING = 2; // on a weak battery both are doubled
const BATCH = 200;
const MOST = 3000; // a long day without signal; the oldest go first
const WEAK = 0.2;
const SOON_MS = 10_000; // points of so long go together
const OPEN = ["assigned", "accepted", "arrived"];

let state = { wanted: false, sharing: true, crew: null };
let stop = null;
let noted = null;
let weak = false;
let sending = false;
let timer = null;

/** Does the person let the desk know where they are? */
export const sharing = async () => (await recall("sharing")) !== false;

/** The person's own switch. Off: what waits here is thrown away, and the desk is told that it is off, not where. */
export async function setSharing(on) {
  await remember("sharing", on ? null : false);
  await remember("sharing_told", null);
  if (!on) await db.positions.clear();
}

/** Are points noted now, and if not, why: "on", "off" (switched off), "idle" (no shift and no order), "no_crew". */
export function tracking({ me, orders, sharing: on, on_shift: shift }) {
  if (!me?.crew_id) return "no_crew";
  if (!on) return "off";
  return shift || orders.some((order) => order.mine && OPEN.includes(order.status) && !order.gone) ? "on" : "idle";
}

/** What `tracking` decides by. */
export async function facts() {
  const [me, orders, on, shift] = await Promise.all([recall("me"), db.orders.toArray(), sharing(), recall("on_shift")]);
  return { me, orders, sharing: on, on_shift: Boolean(shift) };
}

/** Start with the app. */
export function begin() {
  watch(facts, (found) => {
    state = { wanted: tracking(found) === "on", sharing: found.sharing, crew: found.me?.crew_id ?? null };
    if (state.wanted && !stop) stop = follow(moved);
    if (!state.wanted && stop) { stop(); stop = null; }
  });
  navigator.getBattery?.().then((battery) => {
    const look = () => { weak = battery.level <= WEAK && !battery.charging; thrifty(weak); };
    for (const name of ["levelchange", "chargingchange"]) battery.addEventListener(name, look);
    look();
  }, () => {});
}

/** A new position: noted when it is far enough, or long enough, from the last one. */
async function moved() {
  const fix = lastFix();
  if (!fix || !state.wanted) return;
  const far = MOVED_M * (weak ? SAVING : 1), long = EVERY_MS * (weak ? SAVING : 1);
  if (noted && fix.seen - noted.seen < long && wayTo(noted, fix).metres < Math.max(far, fix.accuracy_m ?? 0)) return;
  if (noted && fix.seen === noted.seen) return;
  noted = fix;
  await keep(fix, "moving");
  timer ??= setTimeout(() => { timer = null; deliverPositions().catch(() => {}); }, SOON_MS); // without signal the next round takes them
}

/** Something was done on an order: where that was, if the person shares it. */
export async function note(why, orderId) {
  const fix = lastFix();
  if (fix && state.wanted) await keep(fix, why, orderId);
}

async function keep(fix, why, orderId = null) {
  await db.positions.add({
    id: crypto.randomUUID(), at: new Date(fix.seen).toISOString(), lon: fix.lon, lat: fix.lat, accuracy_m: tidy(fix.accuracy_m, 1),
    heading_deg: fix.heading_deg, why, order_id: orderId,
  });
  const over = (await db.positions.count()) - MOST;
  if (over > 0) await db.positions.bulkDelete(await db.positions.orderBy("at").limit(over).primaryKeys());
}

/** Send what waits, and the switch where the desk does not know it yet. Part of a round of sync. */
export async function deliverPositions() {
  const me = await recall("me");
  if (!me?.crew_id || sending) return;
  sending = true;
  try {
    const on = await sharing();
    let batch = on ? await db.positions.orderBy("at").limit(BATCH).toArray() : [];
    if (!batch.length && (await recall("sharing_told", true)) === on) return;
    do {
      const answer = await api.post("/positions", { sent_at: new Date().toISOString(), sharing: on, positions: batch });
      await db.positions.bulkDelete(answer.results.map((result) => result.id));
      await remember("on_shift", answer.on_shift);
      await remember("sharing_told", on);
      batch = batch.length === BATCH ? await db.positions.orderBy("at").limit(BATCH).toArray() : [];
    } while (batch.length);
  } catch (error) {
    if (error instanceof api.NoSignal || api.revoked(error)) throw error;
    console.error(error); // places are the least of what a phone has to tell: the rest of the round goes on
    if (!api.passing(error)) await db.positions.clear(); // what the server will never take is nobody's to keep
  } finally {
    sending = false;
  }
}
