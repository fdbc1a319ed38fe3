// One line before the shift: what is on the phone for today, and what is still to be loaded.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { now } from "./clock.mjs";
import { db, recall, watch } from "./db.mjs";
import { button, bytes, chip, icon } from "./parts.mjs";
import * as prefetch from "./prefetch.mjs";
import { stopsOf } from "./stops.mjs";

/** Keep `node` true; returns how to stop. */
export function readyLine(node) {
  let counts = null;
  let map = null;
  let loading = { busy: false };
  node.className = "panel ready";
  const draw = () => counts && map && show(node, counts, map, loading);
  const weigh = async () => { map = await prefetch.standing(); draw(); };
  const stops = [
    watch(count, async (found) => { counts = found; await weigh(); prefetch.loadIfCheap(); }),
    prefetch.onProgress((state) => {
      const ended = loading.busy && !state.busy;
      loading = state;
      draw();
      if (ended) weigh();
    }),
  ];
  return () => { for (const stop of stops) stop(); };
}

async function count() {
  const [orders, lists, visits, fresh] = await Promise.all([db.orders.toArray(), db.checklists.toArray(), recall("visits"), recall("lists_at")]);
  const stops = stopsOf(orders, visits, now());
  return { orders: stops.filter((stop) => stop.kind === "order").length, visits: stops.filter((stop) => stop.kind === "visit").length,
    lists: lists.filter((list) => list.current).length, fresh: Boolean(fresh), where: stops.map(({ lon, lat }) => [lon, lat]) };
}

function show(node, { orders, visits, lists, fresh }, map, { busy, done, total, bytes: loaded, error }) {
  const whole = fresh && lists > 0 && map.total > 0 && !map.absent;
  const things = [t("orders %(n)s", { n: orders }), visits ? t("visits %(n)s", { n: visits }) : null, t("checklists %(n)s", { n: lists }), whole && !map.bytes ? t("no map of this place") : t("map %(size)s", { size: bytes(busy ? loaded : map.bytes) })];
  fill(node,
    el("p", { class: "line", role: "status" }, whole ? chip(t("Ready for today"), "green", "check") : chip(t("Not all is on the phone yet"), "orange", "warn"), " ", things.filter(Boolean).join(" · ")),
    busy ? [el("progress", { max: total || 1, value: done, "aria-label": t("Loading the map") }), el("p", { class: "soft small" }, t("Loading the map: %(done)s of %(total)s squares", { done, total }))] : null,
    !busy && error && map.missing.length ? el("p", { class: "soft small" }, icon("warn", 16), " ", t("The map was not loaded whole; the next try goes on from here.")) : null,
    !busy && (map.missing.length || !map.total) ? button(t("Load the map for today"), () => prefetch.load(), { kind: "small", sign: "refresh" }) : null);
}
