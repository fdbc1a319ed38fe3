// The spots that this phone keeps: blind spots, weak signal spots and unserved areas to verify on foot.
import { recall, remember } from "./db.mjs";

/** One of them, or null when it is not on this phone any more. */
export async function findSpot(id) {
  return (await recall("spots", [])).find((spot) => spot.id === id) ?? null;
}

/** Verified and delivered: it waits for nobody any more, until the desk is asked again. */
export async function delivered(change, thing) {
  const kept = await recall("spots", []);
  const spot = kept.find((one) => one.id === change.thing_id);
  if (!spot) return;
  Object.assign(spot, { state: thing?.status ?? "verified", version: thing?.version ?? spot.version });
  await remember("spots", kept);
}
