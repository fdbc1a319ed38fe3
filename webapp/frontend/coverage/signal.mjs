// Cells by their share of weak samples; the table says the same, and a row of it moves the map.
import { t } from "../common/words.mjs";
import { rows } from "./rows.mjs";
import "./stack.mjs";

const box = document.querySelector("[data-signal-map]");

async function draw() {
  const { canDraw, makeMap, sized } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  const bounds = JSON.parse(box.dataset.bounds), cells = JSON.parse(box.dataset.cells);
  const hue = (c) => ["match", ["get", "band"], 0, c["share-0"], 1, c["share-1"], 2, c["share-2"], 3, c["share-3"], c.grey];
  const enough = [">=", ["get", "band"], 0], few = ["<", ["get", "band"], 0];
  const over = (c) => ({
    sources: { cells: { type: "geojson", data: cells } },
    layers: [
      { id: "cells", type: "fill", source: "cells", filter: enough, paint: { "fill-color": hue(c), "fill-opacity": 0.85 } },
      { id: "cells-edge", type: "line", source: "cells", filter: enough, paint: { "line-color": c.text, "line-width": 0.8, "line-opacity": 0.6 } },
      { id: "cells-few", type: "line", source: "cells", filter: few, paint: { "line-color": c.grey, "line-width": 0.8, "line-dasharray": [2, 2] } },
      { id: "cells-share", type: "symbol", source: "cells", filter: enough, minzoom: 14, layout: { "text-field": ["get", "told"], "text-size": sized(c.k, 14, 10, 17, 14), "text-font": ["Noto Sans CJK SC", "sans-serif"] },
        paint: { "text-color": c.text, "text-halo-color": c.panel, "text-halo-width": 1.6 } },
    ],
  });
  box.replaceChildren();
  const map = makeMap(box, { over, tileUrl: box.dataset.tileUrl || undefined, bounds: [bounds.slice(0, 2), bounds.slice(2)], fitBoundsOptions: { padding: 40, maxZoom: 16 } });
  rows("tr[data-lon]", (row) => map.jumpTo({ center: [Number(row.dataset.lon), Number(row.dataset.lat)], zoom: Math.max(map.getZoom(), 16) }));
  map.on("click", "cells", (event) => document.querySelector(`tr[data-cell="${event.features[0].properties.no}"]`)?.scrollIntoView({ block: "center" }));
  box.dataset.mapReady = "1";
}

document.querySelector("[data-print]")?.addEventListener("click", () => print());
if (box) draw().catch(() => { box.firstElementChild?.replaceChildren(t("There is no map here; everything on it is in the table.")); });
