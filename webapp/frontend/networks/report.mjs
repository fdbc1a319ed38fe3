// The report of a topology beside its map: a row shows its place, a mark shows its row; a building is followed to its end.
import { t } from "../common/words.mjs";

const box = document.querySelector("[data-map]");
const rows = [...document.querySelectorAll("[data-finding][data-lon]")];
const going = document.querySelector("[data-going]");

async function follow() {
  const reply = await fetch(going.dataset.going, { headers: { Accept: "application/json" } }).catch(() => null);
  if (reply?.ok) {
    const { state, part } = await reply.json();
    if (state !== "waiting" && state !== "running") return void location.reload();
    going.querySelector("progress").value = part;
  }
  setTimeout(follow, 700);
}
if (going) follow();

const place = (row) => [Number(row.dataset.lon), Number(row.dataset.lat)];

function light(row) {
  for (const other of rows) other.classList.toggle("lit", other === row);
}

const feature = (row) => ({ type: "Feature", properties: { id: Number(row.dataset.finding) }, geometry: { type: "Point", coordinates: place(row) } });

function over(utility, source) {
  const mine = ["==", ["get", "utility"], utility];
  return (c) => {
    const hue = { water: c.water, gas: c.gas }[utility] ?? ["match", ["get", "flow"], "return", c.return, c.supply];
    const dot = (id, layer, colour, radius, minzoom) => ({ id, type: "circle", source: layer, "source-layer": layer, minzoom, filter: mine,
      paint: { "circle-radius": radius * c.k, "circle-color": colour, "circle-stroke-color": c.panel, "circle-stroke-width": 1.5 } });
    return {
      sources: { pipelines: source("pipelines"), valves: source("valves", { minzoom: 13 }), sources: source("sources"),
        supply_points: source("supply_points", { minzoom: 14 }), findings: { type: "geojson", data: { type: "FeatureCollection", features: rows.map(feature) } } },
      layers: [
        { id: "pipelines", type: "line", source: "pipelines", "source-layer": "pipelines", filter: mine, layout: { "line-cap": "round" },
          paint: { "line-color": hue, "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], 9, 1, 13, 2, 18, 5] } },
        dot("supply_points", "supply_points", c.soft, 2.5, 14),
        dot("valves", "valves", ["case", ["!", ["to-boolean", ["get", "is_open"]]], c.red, ["==", ["get", "reach"], "unreachable"], c.orange, c.text], 3.5, 13),
        dot("sources", "sources", c.green, 7, 0),
        { id: "findings", type: "circle", source: "findings",
          paint: { "circle-radius": 8 * c.k, "circle-color": c.yellow, "circle-opacity": 0.35, "circle-stroke-color": c.yellow, "circle-stroke-width": 2.5 * c.k } },
      ],
    };
  };
}

async function bounds(utility, maplibre) {
  const found = new maplibre.LngLatBounds();
  for (const row of rows) found.extend(place(row));
  if (found.isEmpty()) {
    const reply = await fetch("/layers/sources.json", { headers: { Accept: "application/json" } });
    for (const thing of (await reply.json()).rows) if (thing.state === utility) found.extend([thing.lon, thing.lat]);
  }
  return found.isEmpty() ? null : found;
}

async function draw() {
  const { canDraw, makeMap, maplibre, source } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  const utility = box.dataset.utility;
  const around = await bounds(utility, maplibre);
  const map = makeMap(box, { over: over(utility, source), ...(around ? { bounds: around, fitBoundsOptions: { padding: 40, maxZoom: 15 } } : {}) });
  map.getCanvas().setAttribute("aria-label", box.dataset.label);
  map.on("click", "findings", ({ features }) => {
    const row = rows.find((one) => Number(one.dataset.finding) === features[0].properties.id);
    light(row);
    row.scrollIntoView({ block: "center" });
  });
  map.on("idle", () => { box.dataset.drawn = "1"; });
  for (const row of rows) {
    row.querySelector("[data-zoom]").addEventListener("click", () => {
      light(row);
      map.jumpTo({ center: place(row), zoom: 17 });
      box.scrollIntoView({ block: "nearest" });
      box.dataset.at = row.dataset.finding;
    });
  }
}

if (box) draw().catch(() => { box.textContent = t("The map cannot be drawn in this browser; the table says the same."); box.classList.add("empty"); });
