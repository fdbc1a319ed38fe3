// Cells by their share of weak samples; the table says the same, and a row of it moves the map.
import { t } from "../common/words.mjs";
import "./stack.mjs";

const box = document.querySelector("[data-signal-map]");

async function draw() {
  const { canDraw, makeMap } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  const bounds = JSON.parse(box.dataset.bounds), cells = JSON.parse(box.dataset.cells);
  const hue = (c) => ["match", ["get", "band"], 0, c.green, 1, c.yellow, 2, c.orange, 3, c.red, c.grey];
  const over = (c) => ({
    sources: { cells: { type: "geojson", data: cells } },
    layers: [
      { id: "cells", type: "fill", source: "cells", filter: [">=", ["get", "band"], 0], paint: { "fill-color": hue(c), "fill-opacity": 0.5 } },
      { id: "cells-edge", type: "line", source: "cells", paint: { "line-color": hue(c), "line-width": ["case", ["<", ["get", "band"], 0], 1, 1.5] } },
    ],
  });
  box.replaceChildren();
  const map = makeMap(box, { over, tileUrl: box.dataset.tileUrl || undefined, bounds: [bounds.slice(0, 2), bounds.slice(2)], fitBoundsOptions: { padding: 40, maxZoom: 16 } });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-lon]");
    if (!row || event.target.closest("a, button")) return;
    for (const other of document.querySelectorAll("tr.picked")) other.classList.remove("picked");
    row.classList.add("picked");
    map.jumpTo({ center: [Number(row.dataset.lon), Number(row.dataset.lat)], zoom: Math.max(map.getZoom(), 16) });
  });
  map.on("click", "cells", (event) => document.querySelector(`tr[data-cell="${event.features[0].properties.no}"]`)?.scrollIntoView({ block: "center" }));
  box.dataset.mapReady = "1";
}

document.querySelector("[data-print]")?.addEventListener("click", () => print());
if (box) draw().catch(() => { box.firstElementChild?.replaceChildren(t("There is no map here; everything on it is in the table.")); });
