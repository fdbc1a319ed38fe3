// The time as the bureau has it. A phone's clock may be wrong by minutes or by years; what the server said last corrects it.
// Its time zone may be another one too: days begin and end, and times are written, where the bureau is.
import tables from "/phone/rules.mjs";

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

const wall = new Intl.DateTimeFormat("en-CA", {
  timeZone: tables.timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23", timeZoneName: "longOffset",
});

function parts(at) {
  return Object.fromEntries(wall.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
}

/** A formatter of the bureau's time; `options` as of Intl.DateTimeFormat. */
export const formatter = (locale, options) => new Intl.DateTimeFormat(locale, { ...options, timeZone: tables.timezone });

/** 2009-11-17: the bureau's day of a moment (milliseconds or ISO). */
export function dayOf(at) {
  const { year, month, day } = parts(at);
  return `${year}-${month}-${day}`;
}

/** 09:41:05 by the bureau's wall clock. */
export function timeOf(at) {
  const { hour, minute, second } = parts(at);
  return `${hour}:${minute}:${second}`;
}

/** +08:00: how far the bureau is ahead of UTC at a moment. */
export const aheadOf = (at) => parts(at).timeZoneName.replace(/^GMT/, "") || "+00:00";

/**
 * What is for today out of what the phone keeps as the server told it: `{today, [name]: [{on_day}]}`, or nothing yet.
 * A clock that fell behind since does not bring yesterday back.
 */
export function ofToday(kept, name, at = now()) {
  const day = dayOf(at);
  const today = kept?.today > day ? kept.today : day;
  return (kept?.[name] ?? []).filter((one) => one.on_day === today);
}
