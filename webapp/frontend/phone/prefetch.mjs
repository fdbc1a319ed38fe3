// The map of the day is on the phone before the shift: loaded by the dozen, each dozen kept at once, so that a link that
// breaks costs one dozen and the next try goes on where this one ended.
import * as api from "./api.mjs";
import { now } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { squares } from "./map_plan.mjs";
import * as store from "./map_store.mjs";
import { stopsOf } from "./stops.mjs";

const DOZEN = 32;
const GROUND_MS = 24 * 3_600_000;
const listeners = new Set();
let state = { busy: false, done: 0, total: 0, bytes: 0, error: null };

/** Hear how the loading stands: `{busy, done, total, bytes, error}`. Returns how to stop. */
export function onProgress(show) {
  listeners.add(show);
  show(state);
  return () => listeners.delete(show);
}

function tell(change) {
  state = { ...state, ...change };
  for (const show of listeners) show(state);
}

/** The squares of today's stops and of the district. */
export async function wanted() {
  const [orders, visits, ground] = await Promise.all([db.orders.toArray(), recall("visits"), recall("ground")]);
  return squares(ground?.bounds ?? null, stopsOf(orders, visits, now()));
}

/** How ready the map is: `{missing, absent, bytes, total}`. */
export async function standing() {
  const keys = await wanted();
  return { ...(await store.standing(keys)), total: keys.length };
}

/** Load what is missing; one tab at a time. Returns whether all is here. */
export function load() {
  return navigator.locks.request("chengmai-map", { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    tell({ busy: true, done: 0, total: 0, error: null });
    try {
      await askGround();
      for (let more = true; more;) more = await loadOnce(); // an order that came meanwhile leads somewhere else again
      await store.tidy();
      tell({ busy: false });
      return true;
    } catch (error) {
      tell({ busy: false, error: error.message });
      if (error instanceof api.NoSignal || error.status) return false;
      throw error;
    }
  });
}

/** Load what is missing now; returns whether anything was. */
async function loadOnce() {
  const { missing, bytes } = await store.standing(await wanted());
  tell({ done: 0, total: missing.length, bytes });
  for (let i = 0; i < missing.length; i += DOZEN) {
    const keys = missing.slice(i, i + DOZEN);
    const tiles = cut(keys, await api.postForBytes("/tiles", { tiles: keys }));
    await store.keep(tiles);
    tell({ done: Math.min(missing.length, i + DOZEN), bytes: state.bytes + tiles.reduce((sum, tile) => sum + tile.body.byteLength, 0) });
  }
  return missing.length > 0;
}

async function askGround() {
  const kept = await recall("ground");
  if (kept && Date.now() - kept.at < GROUND_MS) return;
  await remember("ground", { ...(await api.get("/ground")), at: Date.now() });
}

/** One answer into its squares: each stands after its length in four bytes. Throws when the answer was cut. */
export function cut(keys, buffer) {
  const view = new DataView(buffer);
  let at = 0;
  return keys.map((key) => {
    if (at + 4 > buffer.byteLength) throw new api.NoSignal("the answer was cut");
    const size = view.getUint32(at);
    if (at + 4 + size > buffer.byteLength) throw new api.NoSignal("the answer was cut");
    const body = buffer.slice(at + 4, at + 4 + size);
    at += 4 + size;
    return { key, body };
  });
}

/** Load by itself where that costs nothing: not when the person saves data, nor over a slow link. */
export async function loadIfCheap() {
  const { saveData = false, effectiveType = "4g" } = navigator.connection ?? {};
  if (navigator.onLine === false || saveData || effectiveType !== "4g" || state.busy) return;
  if ((await standing()).missing.length || !(await recall("ground"))) await load();
}
