// Delivers the queue, one tab at a time, as long as it takes. Small changes go before photos; a checklist goes when its
// photos are there; a change that the server refuses is set aside and never holds up another one.
import * as api from "./api.mjs";
import { delay } from "./backoff.mjs";
import { nowIso } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { hold, onTheWire, onTheirWay, ownerOf, queue } from "./outbox.mjs";
import { pull } from "./pull.mjs";
import { settle } from "./settle.mjs";
import { follow, tell } from "./state.mjs";
import { deliverPositions } from "./track.mjs";

const BATCH = 20;
const STRIKES = 3; // so many server errors in a row end a round; the next one begins with what was tried least
const POLL_MS = 45_000;

let timer = null;
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
  try {
    const held = await navigator.locks.request("chengmai-sync", { ifAvailable: true }, (lock) => (lock ? rounds() : "other"));
    if (held === "other") schedule(5_000); // another tab is at it
  } finally {
    running = false;
  }
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
    tell({ phase: "idle", error: null });
    schedule(POLL_MS);
  } catch (error) {
    await stumble(error);
  }
}

/** A round ended early: say why, and come back later. The queue is as it was. */
async function stumble(error) {
  if (api.revoked(error)) {
    await remember("revoked", true);
    return tell({ phase: "revoked", error: error.message });
  }
  failures += 1;
  const wait = Math.max(delay(failures) * 1000, (error.retryAfter ?? 0) * 1000);
  const offline = error instanceof api.NoSignal;
  if (!offline && !api.passing(error)) console.error(error);
  tell({ phase: offline ? "offline" : "waiting", error: offline ? null : error.message, refused: !api.passing(error), next_at: Date.now() + wait });
  schedule(wait);
}

/** What this person made and is still to be sent. */
async function waiting() {
  const me = await recall("me");
  return (await queue({ quiet: true })).filter((c) => c.state === "waiting" && (c.user_id === null || c.user_id === me?.id));
}

/** Send all that can be sent; returns whether an order took a step. */
async function deliver() {
  const round = { tried: new Set(), missed: new Map(), strikes: 0, trouble: null, done: 0, moved: false };
  for (;;) {
    const left = (await waiting()).filter((change) => !round.tried.has(change.id));
    const work = left.filter((change) => !change.quiet);
    if (work.length) tell({ phase: "sending", done: round.done, total: round.done + work.length });
    if (!left.length) break;
    const { light, heavy } = await divide(left);
    if (light.length) await sendBatch(light.slice(0, BATCH), round);
    else await sendPhoto(heavy[0], round);
  }
  if (round.trouble) throw round.trouble;
  return round.moved;
}

/** Changes that can go now, fairest first, and those that wait for photos (fewest first). Order within a thing is kept. */
async function divide(changes) {
  const things = new Map();
  const heavy = [];
  for (const change of changes) {
    const photos = ownerOf(change) ? await unsentPhotos(change) : [];
    if (photos.length) heavy.push({ change, photos });
    else things.set(change.thing, [...(things.get(change.thing) ?? []), change]);
  }
  const fair = [...things.values()].sort((a, b) => a[0].attempts - b[0].attempts || a[0].seq - b[0].seq);
  heavy.sort((a, b) => a.change.attempts - b.change.attempts || a.photos.length - b.photos.length || a.change.seq - b.change.seq);
  return { light: fair.flat(), heavy };
}

async function unsentPhotos(change) {
  const photos = await db.photos.where("inspection_id").equals(ownerOf(change)).toArray();
  return photos.filter((photo) => photo.sent_at === null);
}

async function sendBatch(batch, round) {
  const going = await onTheirWay(batch);
  if (!going.length) return;
  const length = (await queue()).length;
  let reply;
  try {
    reply = await api.post("/sync", { queue_length: length, changes: going.map(onTheWire) });
    await remember("told_length", length);
  } catch (error) {
    return missed(going, error, round);
  }
  round.strikes = 0;
  const results = new Map((reply.results ?? []).map((result) => [result.id, result]));
  const shaken = new Set();
  for (const change of going) {
    const result = results.get(change.id);
    const outcome = result ? await settle(change, result, shaken.has(change.thing)) : "later";
    if (outcome === "rebase") shaken.add(change.thing);
    if (outcome === "photos" && !round.missed.has(change.id)) round.missed.set(change.id, true);
    else if (outcome === "later" || outcome === "photos") round.tried.add(change.id);
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

/** One photo, then look again: something smaller may have come in meanwhile. */
async function sendPhoto({ change, photos }, round) {
  const [photo] = photos;
  tell({ photos: photos.length });
  try {
    if (!(await api.hasPhoto(photo.sha256))) await api.putPhoto(photo);
    await db.photos.where("sha256").equals(photo.sha256).modify({ sent_at: nowIso() });
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
  } finally {
    tell({ photos: 0 });
  }
}

/** The desk sees how much a phone still holds, also when it holds nothing more. */
async function tellLength() {
  const length = (await queue()).length;
  if (length === (await recall("told_length"))) return;
  await api.post("/sync", { queue_length: length, changes: [] });
  await remember("told_length", length);
}

