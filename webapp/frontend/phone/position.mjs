// Where the phone is, by the phone itself. Asked for only while a screen needs it, or the desk is to know (track.mjs).
import { tidy } from "./canonical.mjs";
import { nowIso } from "./clock.mjs";

const FRESH_MS = 120_000;
const ASK_MS = 15_000;
let last = null;
let watching = null;
let thrift = false;
const listeners = new Set();

/** The newest position with its heading and `seen`, the phone's own clock, or `null` when there is none fresh. */
export const lastFix = () => (last && Date.now() - last.seen < FRESH_MS ? last : null);

/** On a weak battery the phone asks its network where it is, not the satellites. */
export function thrifty(on) {
  if (on === thrift) return;
  thrift = on;
  if (watching === null) return;
  navigator.geolocation.clearWatch(watching);
  start();
}

/** The newest position as `{lon, lat, accuracy_m, at}`, or `null` when there is none younger than two minutes. */
export function lastPosition() {
  return last && Date.now() - last.seen < FRESH_MS
    ? { lon: last.lon, lat: last.lat, accuracy_m: last.accuracy_m, at: last.at }
    : null;
}

/** Follow the position while a screen is open; `show` gets it, or `null` when there is none. Returns how to stop. */
export function follow(show) {
  listeners.add(show);
  if (watching === null && navigator.geolocation) start();
  show(lastPosition());
  return () => {
    listeners.delete(show);
    if (!listeners.size && watching !== null) {
      navigator.geolocation.clearWatch(watching);
      watching = null;
    }
  };
}

/** The position now, or `null`. A phone that lies still tells where it is only once: where that has grown old it is asked again. */
export function ask() {
  const here = lastPosition();
  if (here || !navigator.geolocation) return Promise.resolve(here);
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition((fix) => { keep(fix); resolve(lastPosition()); }, () => resolve(null), { ...options(), timeout: ASK_MS });
  });
}

const options = () => ({ enableHighAccuracy: !thrift, maximumAge: thrift ? 60_000 : 15_000, timeout: 60_000 });

function start() {
  watching = navigator.geolocation.watchPosition(keep, lose, options());
}

function keep({ coords }) {
  last = {
    lon: tidy(coords.longitude), lat: tidy(coords.latitude), accuracy_m: tidy(coords.accuracy, 1),
    heading_deg: tidy(coords.heading, 1), at: nowIso(), seen: Date.now(),
  };
  for (const show of listeners) show(lastPosition());
}

function lose() {
  for (const show of listeners) show(lastPosition());
}
