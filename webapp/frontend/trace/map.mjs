// The map of a trace: the networks, what is isolated and what loses service, and the valves by number. A click chooses a pipe.
import { ask } from "../common/dom.mjs";
import { language, t } from "../common/words.mjs";

const box = document.querySelector("[data-trace-map]");
const empty = { type: "FeatureCollection", features: [] };
const PIPES = { heat: "supply", water: "water", gas: "gas" };
const FINGER = 14; // pixels around a click

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

/** The pipes of all utilities faintly, over them what was found. */
function over(lines, c, source) {
  const kind = (name) => ["==", ["get", "kind"], name];
  const width = (least, most) => ["interpolate", ["linear"], ["zoom"], 10, least * c.k, 17, most * c.k];
  const layer = (id, filter, colour, [least, most], dash) => ({
    id, type: "line", source: "trace", filter, layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": width(least, most), ...(dash ? { "line-dasharray": dash } : {}) },
  });
  const colour = ["case", ["==", ["get", "flow"], "return"], c.return, ["match", ["get", "utility"], ...Object.entries(PIPES).flatMap(([u, token]) => [u, c[token]]), c.grey]];
  return {
    sources: { pipelines: source("pipelines"), trace: { type: "geojson", data: lines } },
    layers: [
      { id: "pipes", type: "line", source: "pipelines", "source-layer": "pipelines", layout: { "line-cap": "round" },
        paint: { "line-color": colour, "line-width": width(1, 3), "line-opacity": 0.55 } },
      layer("trace-found", kind("found"), c.action, [3, 7]),
      layer("trace-lost", kind("lost"), c.orange, [3, 7], [1.4, 1.2]),
      layer("trace-inside", kind("inside"), c.red, [4, 9]),
      layer("trace-start", ["get", "start"], c.text, [2, 4]),
    ],
  };
}

function around(lines, valves, extent) {
  const places = [...lines.features.flatMap((f) => f.geometry.coordinates), ...valves.map((v) => [v.lon, v.lat])];
  if (!places.length) return extent.length === 4 ? [[extent[0], extent[1]], [extent[2], extent[3]]] : undefined;
  const lons = places.map(([lon]) => lon), lats = places.map(([, lat]) => lat);
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

function marks(map, maplibre) {
  document.querySelectorAll("[data-valves] [data-valve]").forEach((row, n) => {
    const sign = document.createElement("div");
    sign.className = "valve-no";
    sign.textContent = n + 1;
    sign.title = row.dataset.valve;
    new maplibre.Marker({ element: sign }).setLngLat([Number(row.dataset.lon), Number(row.dataset.lat)]).addTo(map);
  });
}

/** Ask for the nearest pipe: the page is drawn anew by the server, so that the address is the view. */
function choose(map, event) {
  const { lng, lat } = event.lngLat;
  const aside = map.unproject([event.point.x + FINGER, event.point.y]);
  const url = new URL(box.dataset.click, location.href);
  url.searchParams.set("lon", lng.toFixed(7));
  url.searchParams.set("lat", lat.toFixed(7));
  url.searchParams.set("reach_m", Math.max(1, event.lngLat.distanceTo(aside)).toFixed(1));
  location.assign(url);
}

async function draw() {
  const { canDraw, makeMap, maplibre, source } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  const answer = box.dataset.lines ? await ask(box.dataset.lines) : { lines: empty };
  const valves = [...document.querySelectorAll("[data-valves] [data-valve]")].map((row) => ({ lon: Number(row.dataset.lon), lat: Number(row.dataset.lat) }));
  const extent = box.dataset.extent ? box.dataset.extent.split(",").map(Number) : [];
  const bounds = around(answer.lines, valves, extent);
  box.replaceChildren();
  const map = makeMap(box, { over: (c) => over(answer.lines, c, source), tileUrl: box.dataset.tileUrl || undefined,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: 48, maxZoom: 17 } } : {}) });
  marks(map, maplibre);
  map.getCanvas().style.cursor = "crosshair";
  if (box.dataset.click) map.on("click", (event) => choose(map, event));
  map.once("idle", () => { box.dataset.mapReady = "1"; });
  box.traceMap = map;
}

draw().catch((error) => {
  if (box) box.replaceChildren(Object.assign(document.createElement("p"), { textContent: t("There is no map here; everything can be found by number.") }));
  console.warn(language, error);
});
