// Where a spot stands on this phone, and which of them wait to be seen. Pure.
import { wayTo } from "./rules.mjs";

const OPEN = ["reported", "found"];

/** `blind_spot:12` as the address of its screen has it: `blind_spot-12`. */
export const slug = (id) => id.replace(":", "-");

/** The changes of this phone that are about a spot. */
export const told = (spot, changes) => changes.filter((change) => change.thing === `spot:${spot.id}`);

/** Those that nobody verified yet, or whose verification still waits here; what people reported first, then the nearest. */
export function waiting(spots, changes, here) {
  const away = (spot) => (here ? wayTo(here, spot).metres : 0);
  const rank = (spot) => (spot.state === "reported" ? 0 : 1);
  return spots.filter((spot) => OPEN.includes(spot.state) || told(spot, changes).length)
    .sort((a, b) => rank(a) - rank(b) || away(a) - away(b) || a.id.localeCompare(b.id));
}

/** A count as people type it, or null where it is none. */
export function countOf(typed, most) {
  const plain = String(typed ?? "").trim();
  return /^\d{1,4}$/.test(plain) && Number(plain) <= most ? Number(plain) : null;
}
