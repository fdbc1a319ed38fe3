// Where the crew is, told with the next sync while the app is open and the position is known. Only the newest one counts.
import { recall, remember } from "./db.mjs";
import { replaceQuiet } from "./outbox.mjs";
import { lastPosition } from "./position.mjs";

const EVERY_MS = 5 * 60_000;

/** Queue the crew's position when there is a fresh one and the last was told a while ago. */
export async function reportPosition() {
  const position = lastPosition();
  const me = await recall("me");
  if (!position || !me?.crew_id || Date.now() - (await recall("position_told", 0)) < EVERY_MS) return;
  await replaceQuiet("crew.position", me.crew_id, { lon: position.lon, lat: position.lat, accuracy_m: position.accuracy_m });
  await remember("position_told", Date.now());
}
