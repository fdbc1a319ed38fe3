// What the phone keeps. Every write is durable before it is told to be ("strict": flushed to the disk, not to a cache).
//
// A later version adds `db.version(2)…` below; it never removes a store that may hold something unsent.
import Dexie, { liveQuery } from "/static/vendor/dexie.mjs";

export const db = new Dexie("chengmai-phone", { chromeTransactionDurability: "strict" });

db.version(1).stores({
  keep: "key", // token, person, cursor, last delivery: one row each
  orders: "id", // the server's copy
  sites: "id",
  checklists: "[code+revision], code",
  drafts: "id, state, order_id, site_id", // inspections: draft, ready, sent
  photos: "id, inspection_id, sha256, [inspection_id+item_id]",
  outbox: "++seq, &id, thing, state", // waiting, held
  sent: "id, sent_at, thing", // what was delivered: a line each, without personal data
});

db.version(2).stores({
  positions: "id, at", // points of the crew's track that wait to be sent
});

/** A kept value, or `otherwise`. */
export async function recall(key, otherwise = null) {
  return (await db.keep.get(key))?.value ?? otherwise;
}

/** Keep a value; `null` forgets it. */
export function remember(key, value) {
  return value === null ? db.keep.delete(key) : db.keep.put({ key, value });
}

/**
 * Show the answer of a query now and whenever it changes, in this tab or another. Returns a function that stops it.
 * An error is shown by `fail`, because a query that fails silently leaves an old screen standing.
 */
export function watch(query, show, fail = console.error) {
  let before;
  const subscription = liveQuery(query).subscribe({
    next: (found) => {
      const now = stamp(found);
      if (now !== before) show(found);
      before = now;
    },
    error: fail,
  });
  return () => subscription.unsubscribe();
}

// Photos are compared by id: a blob has no text.
function stamp(found) {
  return JSON.stringify(found, (key, value) => (value instanceof Blob ? value.size : value)) ?? "";
}
