// How the delivery stands, told to every screen and every tab.
const channel = new BroadcastChannel("chengmai-sync");
const listeners = new Set();
const state = { phase: navigator.onLine === false ? "offline" : "idle", done: 0, total: 0, photos: 0, error: null, next_at: null };

/** Say what changed. */
export function tell(change) {
  Object.assign(state, change);
  channel.postMessage(change);
  for (const show of listeners) show(state);
}

/** Hear from other tabs too. */
export function follow() {
  channel.onmessage = ({ data }) => {
    Object.assign(state, data);
    for (const show of listeners) show(state);
  };
}

/** Show the state now and whenever it changes; returns how to stop. */
export function onState(show) {
  listeners.add(show);
  show(state);
  return () => listeners.delete(show);
}
