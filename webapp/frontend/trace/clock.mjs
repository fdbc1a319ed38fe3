// The repair clock: how long a shutdown runs, and what is left of its limit. By the server's time.
import { now } from "../common/clock.mjs";
import { t } from "../common/words.mjs";

/** 3 h 05 min. */
function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  return t("%(h)s h %(m)s min", { h: Math.floor(minutes / 60), m: String(minutes % 60).padStart(2, "0") });
}

function tick() {
  for (const clock of document.querySelectorAll("[data-since]")) clock.textContent = span(now() - Date.parse(clock.dataset.since));
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = Date.parse(clock.dataset.until) - now(), whole = Number(clock.dataset.hours) * 3_600_000;
    clock.textContent = left >= 0 ? t("%(span)s left", { span: span(left) }) : t("%(span)s over the limit", { span: span(left) });
    clock.classList.toggle("red", left < 0);
    clock.classList.toggle("orange", left >= 0 && left < whole / 4);
  }
}

tick();
setInterval(tick, 10_000);
