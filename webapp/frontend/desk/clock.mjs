// Time as the desk sees it: the server's clock, durations in words, and how much of its time a complaint has used.
import { now } from "../common/clock.mjs";
import { language, t } from "../common/words.mjs";

const locale = language === "zh" ? "zh-CN" : "en-GB";
const closed = new Set(["answered", "confirmed", "merged", "cancelled"]);
let zone = "Asia/Shanghai";
let day, hour, second, relativeWords;

/** Tell the clock the city's time zone: days begin and end by it. */
export function setZone(timezone) {
  zone = timezone;
  const date = { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" };
  second = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  day = new Intl.DateTimeFormat("en-CA", date);
  hour = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  relativeWords = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
}

export { now };

/** 2009-11-17 10:03:22 in the city's zone: what a hover tells. */
export const exact = (at) => (at ? `${localDay(at)} ${second.format(new Date(at))}` : "");

/** 10:03, or the whole date when it is not today. */
export function short(at) {
  if (!at) return "";
  const time = hour.format(new Date(at));
  return localDay(at) === localDay(now()) ? time : `${localDay(at).slice(5)} ${time}`;
}

/** 2009-11-17 in the city's zone; `shift` days later. */
export const localDay = (at, shift = 0) => day.format(new Date(new Date(at).getTime() + shift * 86_400_000));

/** 3 minutes ago. */
export function relative(at) {
  const seconds = (new Date(at).getTime() - now()) / 1000;
  const size = Math.abs(seconds);
  const [unit, length] = size < 60 ? ["second", 1] : size < 3600 ? ["minute", 60] : size < 86_400 ? ["hour", 3600] : ["day", 86_400];
  if (size < 10) return t("just now");
  return relativeWords.format(Math.trunc(seconds / length), unit);
}

/** 2 h 05 min: two units are enough to act on. */
export function duration(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const d = Math.floor(minutes / 1440), h = Math.floor((minutes % 1440) / 60), m = minutes % 60;
  if (d) return t("%(d)s d %(h)s h", { d, h });
  if (h) return t("%(h)s h %(m)s min", { h, m: String(m).padStart(2, "0") });
  return t("%(m)s min", { m });
}

/** Share of its time used, the colour state, and the words of the countdown. Closed complaints stand still. */
export function countdown(card) {
  const start = new Date(card.received_at).getTime();
  const end = new Date(card.resolve_by).getTime();
  if (closed.has(card.status)) {
    const late = card.time_state === "red";
    return { used: 1, state: late ? "red" : "done", words: late ? t("Closed late") : t("Closed") };
  }
  if (card.time_state === "paused") return { used: Math.min(Math.max((new Date(card.paused_at).getTime() - start) / Math.max(end - start, 1000), 0), 1), state: "paused", words: t("Clock stands still") };
  const left = end - now();
  const used = Math.min(Math.max((now() - start) / Math.max(end - start, 1000), 0), 1);
  const state = left < 0 ? "red" : used < 0.5 ? "green" : used < 0.75 ? "yellow" : "orange";
  const time = duration(left);
  return { used, state, words: left < 0 ? t("%(time)s over", { time }) : t("%(time)s left", { time }) };
}

/** A <time> that says how long ago, and exactly when on hover. */
export function timeTag(el, at, words = relative(at)) {
  return el("time", { datetime: at, title: exact(at), dataset: { relative: at } }, words);
}

/** The words of a clock's colour: the legend, the filter and the screen reader say the same. */
export const stateWords = (state) => ({ green: t("In time"), yellow: t("Half used"), orange: t("Due soon"), red: t("Overdue"), paused: t("Clock stands still"), done: t("Closed in time") })[state] ?? state;
