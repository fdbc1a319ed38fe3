// The patrols that this phone keeps, and what it knows of their stops.
import { recall, remember } from "./db.mjs";

/** A stop and its patrol, out of what the phone keeps. */
export async function findStop(id) {
  const { patrols = [] } = (await recall("patrols")) ?? {};
  const patrol = patrols.find((one) => one.stops.some((stop) => stop.id === id)) ?? null;
  return { patrol, stop: patrol?.stops.find((stop) => stop.id === id) ?? null };
}

/** A stop was delivered: what the phone keeps of its patrol says so too, until the desk is asked again. */
export async function delivered(change, thing) {
  const kept = await recall("patrols");
  const id = Number(change.thing_id);
  for (const patrol of kept?.patrols ?? []) {
    for (const stop of patrol.stops) if (stop.id === id) Object.assign(stop, { outcome: thing?.status ?? stop.outcome, version: thing?.version ?? stop.version });
  }
  if (kept) await remember("patrols", kept);
}
