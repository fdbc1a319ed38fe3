// The queue of what waits to be sent. A change is fixed when it is made: its content, its id and its hash never alter
// afterwards; whoever edits it makes a new one. Nothing leaves this queue but by a receipt or by the person's own hand.
//
// States: `waiting` (will be sent), `held` (the server said no: shown with the reason, sent no more by itself).
// `uncertain` is true from the moment a change is on the wire until an answer came: the server may have it.
import { changeSha256 } from "./canonical.mjs";
import { nowIso } from "./clock.mjs";
import { db, recall } from "./db.mjs";

/** The thing a change is about, as one word: changes of one thing keep their order. */
export const thingOf = (kind, thingId) => `${kind.split(".")[0]}:${thingId}`;

/** The photos without which a change is not taken (of a finding that was put right): they go before it. Others follow. */
export async function photosFirst(change) {
  if (!change.photos_of) return [];
  return (await db.photos.where("inspection_id").equals(change.photos_of).toArray()).filter((photo) => photo.sent_at === null);
}

/** A change, ready to be put into the queue. Hashing waits, so it is done before a transaction is opened. */
export async function prepare(kind, thingId, baseVersion, payload, { at = nowIso(), quiet = false, after = null, photosOf = null } = {}) {
  const change = { kind, thing_id: thingId, base_version: baseVersion, at, payload, ...(after ? { after } : {}) };
  return {
    ...change, id: crypto.randomUUID(), sha256: await changeSha256(change), thing: thingOf(kind, thingId),
    state: "waiting", uncertain: false, attempts: 0, code: null, detail: null, quiet, user_id: (await recall("me"))?.id ?? null,
    ...(photosOf ? { photos_of: photosOf } : {}),
  };
}

const hearers = new Set();

/**
 * Do what ends with a change in the queue. Whoever tells how the queue stands hears of it at once, not only when the change
 * can be read there: from the thumb on, "all delivered" is no longer true.
 */
export function queueing(work) {
  const done = work();
  for (const hear of hearers) hear(done);
  return done;
}

/** Hear of every change from the moment it is made: `hear(done)`, a promise of its end. */
export const onQueueing = (hear) => hearers.add(hear);

/** Make a change and queue it. */
export function enqueue(...args) {
  return queueing(async () => {
    const change = await prepare(...args);
    await db.outbox.add(change);
    return change;
  });
}

/**
 * Correct a checklist that was sent: only what is to be otherwise (`{reason, note, answers: [{item_id, answer, note}], photos}`).
 * A second correction made before the first was delivered rests on it.
 */
export async function amend(inspectionId, payload) {
  const draft = await db.drafts.get(inspectionId);
  const before = await db.outbox.where("thing").equals(thingOf("inspection.amend", inspectionId)).sortBy("seq");
  return enqueue("inspection.amend", inspectionId, draft?.version ?? 1, { inspection_id: inspectionId, ...payload }, { after: before.at(-1)?.id ?? null });
}

/** Everything in the queue, oldest first; positions are not counted as work. */
export async function queue({ quiet = false } = {}) {
  const all = await db.outbox.orderBy("seq").toArray();
  return quiet ? all : all.filter((change) => !change.quiet);
}

/** Photos whose form was delivered and that still have to follow it, oldest first. */
export async function photosLeft() {
  const sent = await db.drafts.where("state").equals("sent").primaryKeys();
  const photos = await db.photos.where("inspection_id").anyOf(sent).toArray();
  return photos.sort((a, b) => a.taken_at.localeCompare(b.taken_at));
}

/** How much is still to be delivered: changes and photos. The desk is told. */
export const length = async () => (await queue()).length + (await photosLeft()).length;

/** What the server is told of a change. */
export function onTheWire({ id, kind, thing_id, base_version, at, payload, after }) {
  return { id, kind, thing_id, base_version, at, payload, ...(after ? { after } : {}) };
}

/** Say that these are being sent. Returns those that are still there: one may have been withdrawn a moment ago. */
export function onTheirWay(changes) {
  return db.transaction("rw", db.outbox, async () => {
    const still = [];
    for (const { seq, id } of changes) {
      const change = await db.outbox.get(seq);
      if (change?.id !== id || change.state !== "waiting") continue;
      await db.outbox.update(seq, { uncertain: true, attempts: change.attempts + 1 });
      still.push(change);
    }
    return still;
  });
}

/** The server has surely not kept it: it may be corrected, and it will be sent again. */
export function notKept(change, code, detail) {
  return db.outbox.update(change.seq, { uncertain: false, code, detail });
}

/** The server said no for good: the change stays, with the reason, until the person decides. */
export function hold(change, verdict, code, detail, uncertain = false) {
  return db.outbox.update(change.seq, { state: "held", uncertain, verdict, code: code ?? verdict, detail: detail ?? "" });
}

/** Can this change still be taken back without the server ever knowing of it? */
export const canWithdraw = (change) => !change.uncertain;

/** Take an unsent change back. Later changes of the same thing rest on it and go with it. Returns whether it was possible. */
export function withdraw(change) {
  return db.transaction("rw", db.outbox, async () => {
    const same = (await db.outbox.where("thing").equals(change.thing).toArray()).filter((c) => c.seq >= change.seq);
    if (!same.length || same.some((c) => c.uncertain && c.state !== "held")) return false;
    await db.outbox.bulkDelete(same.map((c) => c.seq));
    return true;
  });
}

/** A held change is sent once more, as it is: its id is the same, so it can never arrive twice. */
export function release(change) {
  return db.outbox.update(change.seq, { state: "waiting", code: null, detail: null });
}

/** The same change on a newer version of its thing: other content, therefore another id. Its place in the queue stays. */
export async function rebase(change, baseVersion) {
  const fresh = await prepare(change.kind, change.thing_id, baseVersion, change.payload, { at: change.at, quiet: change.quiet, after: change.after ?? null });
  await db.outbox.update(change.seq, { ...fresh, rebased: (change.rebased ?? 0) + 1 });
}
