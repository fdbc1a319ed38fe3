// The squares of the map that lie on this phone. A database of its own: emptying the map never comes near what is unsent.
import Dexie from "/static/vendor/dexie.mjs";

export const OLD_MS = 7 * 24 * 3_600_000; // loaded again after a week: streets change slowly
const FORGOTTEN_MS = 21 * 24 * 3_600_000;

const store = new Dexie("chengmai-map");
store.version(1).stores({
  tiles: "key", // {key: "z/x/y", body}
  facts: "key, at", // {key, at, bytes}: small, so that counting does not read the bodies
});

/** A square's body as an ArrayBuffer, or `null` when it is not here. */
export const body = async (key) => (await store.tiles.get(key))?.body ?? null;

/** Keep squares: `[{key, body}]`. */
export function keep(tiles, at = Date.now()) {
  return store.transaction("rw", store.tiles, store.facts, async () => {
    await store.tiles.bulkPut(tiles);
    await store.facts.bulkPut(tiles.map(({ key, body: bytes }) => ({ key, at, bytes: bytes.byteLength })));
  });
}

/** Of these squares: which are not here or too old, and what those that are here weigh. */
export async function standing(keys, now = Date.now()) {
  const facts = await store.facts.bulkGet(keys);
  const here = facts.filter(Boolean);
  const stale = keys.filter((_, i) => !facts[i] || now - facts[i].at > OLD_MS);
  return { missing: stale, absent: keys.length - here.length, bytes: here.reduce((sum, fact) => sum + fact.bytes, 0) };
}

/** What nobody asked for in three weeks goes. */
export async function tidy(now = Date.now()) {
  const old = await store.facts.where("at").below(now - FORGOTTEN_MS).primaryKeys();
  await store.transaction("rw", store.tiles, store.facts, () => Promise.all([store.tiles.bulkDelete(old), store.facts.bulkDelete(old)]));
}

/** Nothing of the map stays. */
export const clear = () => Promise.all([store.tiles.clear(), store.facts.clear()]);
