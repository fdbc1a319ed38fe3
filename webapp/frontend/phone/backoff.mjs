// When to try again. Pure: the chance comes from outside.
const FIRST_S = 2;
const LONGEST_S = 300;

/** Seconds until the next attempt after `failures` in a row; jitter spreads phones that lost signal together. */
export function delay(failures, random = Math.random()) {
  const ceiling = Math.min(LONGEST_S, FIRST_S * 2 ** Math.min(failures, 12));
  return ceiling * (0.5 + random / 2);
}

/** Milliseconds a request of so many bytes may take: half a minute, and more at the pace of a poor link. */
export function patience(bytes) {
  return 30_000 + bytes / 4;
}

const SMALLEST = 8 << 10;
const LARGEST = 2 << 20;
const PIECE_MS = 4000;

/** How many bytes the next piece of a photo has, after `bytes` went through in so many milliseconds (0: it is not known). */
export function piece(bytes, milliseconds) {
  if (!bytes) return 64 << 10;
  const wanted = milliseconds > 0 ? Math.min((bytes / milliseconds) * PIECE_MS, bytes * 4) : bytes;
  return 2 ** Math.round(Math.log2(Math.min(LARGEST, Math.max(SMALLEST, wanted))));
}
