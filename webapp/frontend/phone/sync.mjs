// Delivers the queue, one tab at a time, as long as it takes. Changes go before photos, and a form before its own: the desk
// reads it while they follow, in pieces. Only what shows that a finding was put right goes before it. A change that the server refuses is set aside and never holds up another one.
import * as api from "./api.mjs";
import { delay } from "./backoff.mjs";
import { nowIso } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { hold, length, onTheWire, onTheirWay, photosFirst, photosLeft, queue } from "./outbox.mjs";
import { pull } from "./pull.mjs";
import { settle } from "./settle.mjs";
import { follow, tell } from "./state.mjs";
import { deliverPositions } from "./track.mjs";
import { sendPieces } from "./upload.mjs";

const BATCH = 20;
const STRIKES = 3; // so many server errors in a row end a round; the next one begins with what was tried least
const POLL_MS = 45_000;

let batch = BATCH; // fewer on a link that breaks before so many are through
let timer = null;
let waitAtMost = POLL_MS; // a change that waits at the server for another is asked for sooner
let failures = 0;
let again = false;
let running = false;
let whole = false;
let asked = false; // somebody, or a sign of signal, asked for this round; the timer alone does not disturb a signed-off phone

/**
 * Sync now, or once more when a round is under way. `hopeful`: there is reason to believe it works; `full`: somebody asked,
 * so everything is fetched anew. Never throws: what went wrong is in the state.
 */
export async function nudge({ hopeful = false, full = false } = {}) {
  if (hopeful) failures = 0;
  asked ||= hopeful;
  whole ||= full;
  if (running) {
    again = true;
    return;
  }
  clearTimeout(timer);
  running = true;
  again = false;
  let stood = null;
  try {
    stood = await navigator.locks.request("chengmai-sync", { ifAvailable: true }, (lock) => (lock ? rounds() : "other"));
    if (stood === "other") schedule(5_000); // another tab is at it
  } finally {
    running = false;
  }
  if (again && stood !== "other" && (stood !== "stumbled" || asked)) return nudge(); // asked for while this one came to its end
}

/** Start when the page starts, and wake whenever there is reason to hope. */
export function begin() {
  addEventListener("online", () => nudge({ hopeful: true }));
  addEventListener("offline", () => tell({ phase: "offline" }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && nudge({ hopeful: true }));
  follow();
  nudge();
}

function schedule(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(nudge, milliseconds);
}

async function rounds() {
  if (!(await recall("token"))) return tell({ phase: "idle" });
  if ((await recall("revoked")) && !asked) return tell({ phase: "revoked" });
  asked = false;
  if (navigator.onLine === false) return tell({ phase: "offline" });
  try {
    do {
      again = false;
      const moved = await deliver();
      await deliverPositions();
      await pull({ full: whole, orders: moved });
      whole = false;
      await tellLength();
    } while (again);
    failures = 0;
    await remember("delivered_at", nowIso());
    await remember("revoked", null);
    await remember("handed_in", null);
    tell({ phase: "idle", error: null });
    schedule(Math.min(POLL_MS, waitAtMost));
    waitAtMost = POLL_MS;
  } catch (error) {
    await stumble(error);
    return "stumbled";
  }
}

/** A round ended early: say why, and come back later. The queue is as it was. */
async function stumble(error) {
  if (api.revoked(error)) {
    await remember("revoked", true);
    tell({ phase: "revoked", error: error.message });
    return handOver().catch(() => {}); // without signal it is tried again with the next round
  }
  failures += 1;
  const wait = Math.max(delay(failures) * 1000, (error.retryAfter ?? 0) * 1000);
  const offline = error instanceof api.NoSignal;
  if (!offline && !api.passing(error)) console.error(error);
  tell({ phase: offline ? "offline" : "waiting", error: offline ? null : error.message, refused: !api.passing(error), next_at: Date.now() + wait });
  schedule(wait);
}

/**
 * This phone was signed off: what it holds is handed in to the desk's quarantine, where a person releases it. Nothing is
 * deleted here: enrolled again, the phone delivers it as ever, and what was released meanwhile is answered as delivered.
 */
async function handOver() {
  const handed = new Set(await recall("handed_in", []));
  const changes = (await waiting()).filter((change) => !change.quiet && !handed.has(change.id));
  const all = await length();
  for (let i = 0; i < changes.length; i += BATCH) {
    const { kept } = await api.handIn(all, changes.slice(i, i + BATCH).map(onTheWire));
    for (const { id } of kept) handed.add(id);
    await remember("handed_in", [...handed]);
  }
  const named = new Set(changes.flatMap((change) => (change.payload.photos ?? []).map((photo) => photo.sha256)));
  for (const photo of await db.photos.toArray()) {
    if (handed.has(photo.sha256) || (!named.has(photo.sha256) && !(await photosLeft()).some((left) => left.id === photo.id))) continue;
    await api.handInPhoto(photo).then(() => handed.add(photo.sha256), (error) => { if (error instanceof api.NoSignal) throw error; });
    await remember("handed_in", [...handed]);
  }
}

/** What this person made and is still to be sent. */
async function waiting() {
  const me = await recall("me");
  return (await queue({ quiet: true })).filter((c) => c.state === "waiting" && (c.user_id === null || c.user_id === me?.id));
}

/** Send all that can be sent; returns whether an order took a step. */
async function deliver() {
  const round = { tried: new Set(), missed: new Set(), strikes: 0, trouble: null, done: 0, moved: false, wait: null };
  for (;;) {
    const left = (await waiting()).filter((change) => !round.tried.has(change.id));
    const photos = (await photosLeft()).filter((photo) => !photo.refused && !round.tried.has(photo.id));
    const { light, heavy } = await divide(left);
    const work = left.filter((change) => !change.quiet);
    if (work.length || photos.length) tell({ phase: "sending", done: round.done, total: round.done + work.length + photos.length, photos: photos.length });
    if (light.length) await sendBatch(fairest(light).slice(0, batch), round);
    else if (heavy.length) await sendBefore(heavy[0], round);
    else if (photos.length) await sendPhoto(photos.sort((a, b) => (a.attempts ?? 0) - (b.attempts ?? 0))[0], round);
    else break;
  }
  tell({ photos: 0 });
  if (round.trouble) throw round.trouble;
  if (round.wait !== null) waitAtMost = round.wait * 1000;
  return round.moved;
}

/** Changes that can go now, and those that wait for photos (`{change, photos}`; what was tried least and has fewest first). */
async function divide(changes) {
  const light = [];
  const heavy = [];
  for (const change of changes) {
    const photos = await photosFirst(change);
    if (photos.length) heavy.push({ change, photos });
    else light.push(change);
  }
  heavy.sort((a, b) => a.change.attempts - b.change.attempts || a.photos.length - b.photos.length || a.change.seq - b.change.seq);
  return { light, heavy };
}

/** What was tried least comes first. Order within a thing is kept. */
function fairest(changes) {
  const things = new Map();
  for (const change of changes) things.set(change.thing, [...(things.get(change.thing) ?? []), change]);
  return [...things.values()].sort((a, b) => a[0].attempts - b[0].attempts || a[0].seq - b[0].seq).flat();
}

async function sendBatch(chosen, round) {
  const going = await onTheirWay(chosen);
  if (!going.length) return;
  const all = await length();
  let reply;
  try {
    reply = await api.post("/sync", { queue_length: all, changes: going.map(onTheWire) });
    await remember("told_length", all);
  } catch (error) {
    if (error instanceof api.NoSignal) batch = Math.max(1, Math.floor(going.length / 2));
    return missed(going, error, round);
  }
  batch = Math.min(BATCH, batch + 2);
  round.strikes = 0;
  const results = new Map((reply.results ?? []).map((result) => [result.id, result]));
  const shaken = new Set();
  for (const change of going) {
    const result = results.get(change.id);
    const outcome = result ? await settle(change, result, shaken.has(change.thing)) : "later";
    if (outcome === "rebase") shaken.add(change.thing);
    if (outcome === "photos" && !round.missed.has(change.id)) round.missed.add(change.id); // once more, when they are there
    else if (["later", "waits", "photos"].includes(outcome)) round.tried.add(change.id);
    if (outcome === "waits") round.wait = Math.min(round.wait ?? Infinity, result.after_s ?? 30);
    if (outcome === "rebase") {
      again = true;
      round.tried.add(change.id);
    }
    if (outcome === "done" && !change.quiet) round.done += 1;
    if (outcome === "done" && /^(order|finding)\./.test(change.kind)) round.moved = true;
    if (outcome === "later") round.trouble ??= new api.NoSignal(result?.detail ?? "no verdict");
  }
}

/** The request as a whole failed. One bad change must not hold up the others: they are sent one by one. */
async function missed(going, error, round) {
  if (error instanceof api.NoSignal || api.revoked(error)) throw error;
  if (going.length > 1) {
    for (const change of going) await sendBatch([change], round);
    return;
  }
  const [change] = going;
  round.tried.add(change.id);
  if (!api.passing(error)) {
    await hold(change, "refused", error.code, error.message);
    return;
  }
  round.trouble = error;
  round.strikes += 1;
  if (round.strikes >= STRIKES || error.status === 429) throw error;
}

/** One photo that goes before its change; it stays here until the change is delivered too. One that is refused holds it. */
async function sendBefore({ change, photos }, round) {
  const [photo] = photos;
  try {
    await sendPieces(photo);
    await db.photos.where("sha256").equals(photo.sha256).filter((same) => same.inspection_id === photo.inspection_id).modify({ sent_at: nowIso() });
    round.strikes = 0;
  } catch (error) {
    if (error instanceof api.NoSignal || api.revoked(error)) throw error;
    round.tried.add(change.id);
    if (api.passing(error) || error.code === "hash_mismatch") {
      round.trouble = error;
      round.strikes += 1;
      if (round.strikes >= STRIKES) throw error;
      return;
    }
    await db.photos.update(photo.id, { refused: error.message });
    await hold(change, "refused", error.code, error.message);
  }
}

/** One photo, then look again: a change may have come in meanwhile. It is deleted here when the server has it whole. */
async function sendPhoto(photo, round) {
  try {
    await sendPieces(photo);
    await db.photos.where("sha256").equals(photo.sha256).filter((same) => same.inspection_id === photo.inspection_id).delete();
    round.strikes = 0;
    round.done += 1;
  } catch (error) {
    if (error instanceof api.NoSignal || api.revoked(error)) throw error;
    round.tried.add(photo.id);
    await db.photos.update(photo.id, { attempts: (photo.attempts ?? 0) + 1, refused: api.passing(error) ? null : error.message });
    if (!api.passing(error) && error.code !== "hash_mismatch") return; // it stays, and is shown; it holds up nothing
    round.trouble = error;
    round.strikes += 1;
    if (round.strikes >= STRIKES) throw error;
  }
}

/** The desk sees how much a phone still holds, also when it holds nothing more. */
async function tellLength() {
  const all = await length();
  if (all === (await recall("told_length"))) return;
  await api.post("/sync", { queue_length: all, changes: [] });
  await remember("told_length", all);
}

