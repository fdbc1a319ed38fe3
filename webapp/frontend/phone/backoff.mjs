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
