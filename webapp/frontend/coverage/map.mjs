// The map of coverage: view fields by level, cameras, blind spots and proposed sites. The tables say the same. A row of the
// table moves the map; while coverage is being computed the page tells how far it is and comes anew when it is done.
import { ask } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { rows } from "./rows.mjs";
import "./stack.mjs";

const box = document.querySelector("[data-coverage-map]");
const LEVELS = { detect: 0.16, observe: 0.22, recognise: 0.3, identify: 0.42 };
const wide = (most) => ["interpolate", ["linear"], ["zoom"], 11, most / 6, 13, most / 3, 16, most]; // a city of hatched lines is read as lines
const FALLBACK = [73, 18, 135, 54];

/** Which blind spots are drawn: those of the page's filters; without a state, all that are not settled. */
function wanted() {
  const states = JSON.parse(box.dataset.states ?? "[]"), said = (box.dataset.said ?? "").toLowerCase();
  const state = states.length ? ["in", ["get", "state"], ["literal", states]] : ["!=", ["get", "state"], "closed"];
  return said ? ["all", state, ["in", said, ["downcase", ["coalesce", ["get", "road_name"], ""]]]] : state;
}

async function draw() {
  const [{ canDraw, makeMap, putImage, source, sized }, { hatch, image, THINGS }] = await Promise.all([import("../common/map.mjs"), import("../common/shapes.mjs")]);
  if (!canDraw()) throw new Error("no WebGL");
  const bounds = JSON.parse(box.dataset.bounds) ?? FALLBACK;
  const proposals = JSON.parse(box.dataset.proposals);
  const views = (id, filter, paint) => ({ id, type: "fill", source: "camera_views", "source-layer": "camera_views", filter, paint });
  const edge = (id, filter, paint) => ({ id, type: "line", source: "camera_views", "source-layer": "camera_views", filter, paint });
  const level = ["match", ["get", "level"], ...Object.entries(LEVELS).flat(), 0.2];
  const fixed = ["all", ["==", ["get", "state"], "working"], ["!", ["get", "is_ptz"]]];
  const over = (c) => ({
    sources: { camera_views: source("camera_views", { minzoom: 12 }), cameras: source("cameras", { minzoom: 11 }), blind_spots: source("blind_spots"),
      proposals: { type: "geojson", data: proposals } },
    layers: [
      views("views", fixed, { "fill-color": c.camera, "fill-opacity": level }),
      edge("views-off", ["all", ["==", ["get", "state"], "broken"], ["==", ["get", "level"], "detect"]], { "line-color": c.grey, "line-width": 1.2, "line-dasharray": [3, 2] }),
      edge("views-ptz", ["all", ["==", ["get", "state"], "working"], ["get", "is_ptz"], ["==", ["get", "level"], "detect"]], { "line-color": c.camera, "line-width": 1.6, "line-dasharray": [1, 2] }),
      ...(box.dataset.chosen ? [{ id: "blind-chosen", type: "line", source: "blind_spots", "source-layer": "blind_spots", filter: ["==", ["get", "id"], Number(box.dataset.chosen)], layout: { "line-cap": "round" }, paint: { "line-color": c.action, "line-width": wide(24), "line-opacity": 0.8 } }] : []),
      { id: "blind-edge", type: "line", source: "blind_spots", "source-layer": "blind_spots", filter: wanted(), paint: { "line-color": c.panel, "line-width": wide(12), "line-opacity": 0.85 } },
      { id: "blind", type: "line", source: "blind_spots", "source-layer": "blind_spots", filter: wanted(), paint: { "line-pattern": "hatch", "line-width": wide(9) } },
      { id: "proposed-fields", type: "fill", source: "proposals", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": c.action, "fill-opacity": 0.3, "fill-outline-color": c.action } },
      { id: "cameras", type: "symbol", source: "cameras", "source-layer": "cameras", minzoom: 12,
        layout: { "icon-image": ["match", ["get", "state"], "working", "camera", "camera_off"], "icon-allow-overlap": true, "icon-size": 0.8 * c.k } },
      { id: "proposed", type: "circle", source: "proposals", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 10 * c.k, "circle-color": c.action, "circle-stroke-color": c.panel, "circle-stroke-width": 2 } },
      { id: "proposed-no", type: "symbol", source: "proposals", filter: ["==", ["geometry-type"], "Point"],
        layout: { "text-field": ["to-string", ["get", "no"]], "text-size": sized(c.k, 10, 11, 16, 13), "text-font": ["Noto Sans CJK SC", "sans-serif"], "text-allow-overlap": true }, paint: { "text-color": c["on-action"] } },
    ],
  });
  const images = (map, c) => {
    putImage(map, "hatch", hatch(c));
    for (const name of ["camera", "camera_off"]) putImage(map, name, image(THINGS[name], c, { size: 20 }));
  };
  box.replaceChildren();
  const map = makeMap(box, { over, images, tileUrl: box.dataset.tileUrl || undefined, bounds: [bounds.slice(0, 2), bounds.slice(2)], fitBoundsOptions: { padding: 40, maxZoom: 16.5 } });
  if ("place" in box.dataset) place(map);
  else pick(map);
  box.dataset.mapReady = "1";
  box.map = map;
}

/** A row of the table or of the proposals shows its place; a blind spot of the map opens its page. */
function pick(map) {
  const sites = JSON.parse(box.dataset.proposals).features.filter((f) => f.properties.site);
  rows("tr[data-lon], tr[data-site]", (row) => {
    const site = sites.find((f) => String(f.properties.no) === row.dataset.site);
    const center = site ? site.geometry.coordinates : [Number(row.dataset.lon), Number(row.dataset.lat)];
    map.jumpTo({ center, zoom: Math.max(map.getZoom(), 16) });
  });
  map.on("click", "blind", (event) => { location.href = `/coverage/blind-spots/${event.features[0].properties.id}`; });
  map.on("mouseenter", "blind", () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", "blind", () => { map.getCanvas().style.cursor = ""; });
}

/** A click is the place of the camera that is being put up or corrected. */
function place(map) {
  const [lon, lat] = ["lon", "lat"].map((name) => document.querySelector(`input[name="${name}"]`));
  let mark = null;
  map.getCanvas().style.cursor = "crosshair";
  map.on("click", ({ lngLat }) => {
    lon.value = lngLat.lng.toFixed(6);
    lat.value = lngLat.lat.toFixed(6);
    const data = { type: "FeatureCollection", features: [{ type: "Feature", properties: { no: "", site: true }, geometry: { type: "Point", coordinates: [lngLat.lng, lngLat.lat] } }] };
    map.getSource("proposals").setData(data);
    mark = data;
  });
  map.on("styledata", () => mark && map.getSource("proposals")?.setData(mark)); // another theme draws everything anew
}

/** How far the computation is, asked every second; the page is loaded anew when it ends. */
async function follow(place) {
  const words = place.querySelector("[data-run-words]"), bar = place.querySelector("progress");
  for (;;) {
    const run = await ask("/coverage/run.json").catch(() => undefined);
    if (run === null || (run && !["waiting", "running"].includes(run.state))) return location.reload();
    if (run) {
      words.textContent = `${word("run_state", run.state)} ${run.done} / ${run.total}`;
      bar.max = run.total || 1;
      bar.value = run.done;
    }
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

document.querySelector("[data-print]")?.addEventListener("click", () => print());
const running = document.querySelector("[data-run]");
if (running) follow(running);
if (box) draw().catch(() => { box.firstElementChild?.replaceChildren(t("There is no map here; everything on it is in the table.")); });
