// How a reading stands in its bands, and where a stop stands. Pure.

/** A number as people type it (12,5 and 12.5), or null where it is none. */
export function numberOf(typed) {
  const plain = String(typed ?? "").trim().replace(",", ".").replace("−", "-");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}

/** What is told of a typed value at once: `empty`, `wrong` (no number), `impossible`, `low`, `high` or `fine`. Limits are inside. */
export function judged(typed, point) {
  if (!String(typed ?? "").trim()) return "empty";
  const value = numberOf(typed);
  if (value === null) return "wrong";
  if (value < point.least || value > point.most) return "impossible";
  for (const band of point.bands) {
    if (band.low !== null && value < band.low) return "low";
    if (band.high !== null && value > band.high) return "high";
  }
  return "fine";
}

/** Where a stop stands on this phone: what was told and waits comes before what the desk knew. */
export function standing(stop, changes) {
  const own = changes.filter((change) => change.thing === `patrol:${stop.id}`).at(-1);
  if (own) return own.state === "held" ? "held" : own.kind === "patrol.skip" ? "skipped" : "visited";
  return stop.outcome ?? "waiting";
}
