// The time as the bureau has it. A phone's clock may be wrong by minutes or by years; what the server said last corrects it.
const KEY = "chengmai-clock-offset-ms";
const SMALL_MS = 30_000; // the trip of the answer itself

/** Milliseconds by which the server's clock is ahead of this phone's. */
export const offset = () => Number(localStorage.getItem(KEY)) || 0;

/** Learn from an answer of the server what time it is. */
export function learn(serverAt) {
  if (!serverAt) return;
  const ahead = Date.parse(serverAt) - Date.now();
  if (Number.isFinite(ahead)) localStorage.setItem(KEY, String(Math.abs(ahead) < SMALL_MS ? 0 : ahead));
}

/** Now, in milliseconds. */
export const now = () => Date.now() + offset();

/** Now, as it is written into a change. */
export const nowIso = () => new Date(now()).toISOString();
