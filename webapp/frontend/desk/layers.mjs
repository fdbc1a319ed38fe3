// What lies on the base map: sources, layers and icons, in the order in which they are drawn. Data only; map.mjs draws it.
import { putImage, sized, source } from "../common/map.mjs";
import { t } from "../common/words.mjs";
import { CREWS, STATES, THINGS, hatch, image } from "../common/shapes.mjs";

/** The switches of the layer panel, with the style layers each one shows or hides. */
export const GROUPS = {
  complaints: ["complaint-cells", "complaint-cell-counts", "complaints"],
  crews: ["crew-accuracy", "crews", "crew-names"],
  stations: ["stations"],
  pipelines: ["pipelines"],
  valves: ["valves"],
  sources: ["sources"],
  supply_points: ["supply-points"],
  cameras: ["camera-views", "cameras"],
  blind_spots: ["blind-spots-edge", "blind-spots"],
};
export const SHOWN_FIRST = ["complaints", "crews", "stations"];

/** Style layers that can be pointed at, and the kind of thing that each one selects. */
export const KINDS = { complaints: "complaint", crews: "crew", stations: "station", pipelines: "pipeline", valves: "valve", sources: "source", "supply-points": "supply_point", cameras: "camera", "blind-spots": "blind_spot" };

/** Every icon, in the page's colours; called again when the theme changes. */
export function putImages(map, c) {
  for (const [state, shape] of Object.entries(STATES)) putImage(map, `state-${state}`, image(shape, c, { size: 20 }));
  for (const [state, shape] of Object.entries(CREWS)) {
    putImage(map, `crew-${state}`, image(shape, c, { size: 28 }));
    putImage(map, `crew-${state}-heading`, image(shape, c, { size: 28, nose: true }));
  }
  for (const [name, shape] of Object.entries(THINGS)) putImage(map, name, image(shape, c, { size: name === "camera_view" ? 48 : 20 }));
  putImage(map, "hatch", hatch(c));
}

const has = (name) => ["all", ["has", name], ["!=", ["get", name], null]];
const count = ["to-number", ["get", "n"], 1];

function complaintLayers(c, show) {
  return [
    { id: "complaint-cells", type: "circle", source: "complaints", "source-layer": "cells", layout: show("complaints"),
      paint: {
        "circle-radius": ["*", c.k, ["interpolate", ["linear"], ["sqrt", count], 1, 9, 2, 12, 10, 18, 40, 27, 300, 40]],
        "circle-color": c.panel, "circle-opacity": 0.94,
        "circle-stroke-width": 3 * c.k,
        "circle-stroke-color": ["case", [">", ["to-number", ["get", "red"], 0], 0], c.red, [">", ["to-number", ["get", "orange"], 0], 0], c.orange, c.soft],
      } },
    { id: "complaint-cell-counts", type: "symbol", source: "complaints", "source-layer": "cells",
      layout: { ...show("complaints"), "text-field": ["to-string", count], "text-size": 12 * c.k, "text-font": ["Noto Sans CJK SC", "sans-serif"],
        "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": c.text } },
    { id: "complaints", type: "symbol", source: "complaints", "source-layer": "complaints",
      layout: { ...show("complaints"), "icon-image": ["concat", "state-", ["coalesce", ["get", "state"], "green"]], "icon-allow-overlap": true,
        "icon-size": sized(c.k, 10, 0.7, 15, 1),
        "symbol-sort-key": ["match", ["get", "state"], "red", 5, "orange", 4, "yellow", 3, "green", 2, 1] } },
  ];
}

/** “3 min ago, ±12 m”: how old a crew's position is and how sure, as the tile knew it. */
const age = ["to-number", ["get", "age_min"], 0];
const ago = (form, n) => ["concat", ...t(form).split("%(n)s").flatMap((part, i) => (i ? [["to-string", n], part] : [part]))];
const crewAge = () => ["case", ["==", ["get", "hidden"], true], t("Position switched off"),
  ["concat", ["case", ["<", age, 1], t("just now"), ["<", age, 60], ago("%(n)s minutes ago", age),
    ["<", age, 1440], ago("%(n)s hours ago", ["floor", ["/", age, 60]]), ago("%(n)s days ago", ["floor", ["/", age, 1440]])],
  ["case", has("accuracy_m"), ["concat", ", ±", ["to-string", ["get", "accuracy_m"]], " m"], ""]]];
const faded = ["match", ["get", "state"], "off_shift", 0.6, "silent", 0.9, ["interpolate", ["linear"], age, 5, 1, 30, 0.6]];
// Metres on the ground as pixels: a tile of 512 pixels is the whole world at zoom 0, and each zoom doubles it.
const COS_LAT = 0.8; // of the country's middle; a circle of doubt need not be exact
const metres = ["/", ["to-number", ["get", "accuracy_m"], 0], 40_075_017 / 512 * COS_LAT];

function crewLayers(c, show) {
  return [
    { id: "crew-accuracy", type: "circle", source: "crews", "source-layer": "crews", minzoom: 12,
      filter: ["all", has("accuracy_m"), ["!=", ["get", "state"], "off_shift"]], layout: show("crews"),
      paint: { "circle-radius": ["interpolate", ["exponential", 2], ["zoom"], 0, metres, 22, ["*", metres, 2 ** 22]],
        "circle-color": c.action, "circle-opacity": 0.1, "circle-stroke-color": c.action, "circle-stroke-width": 1, "circle-stroke-opacity": 0.35 } },
    { id: "crews", type: "symbol", source: "crews", "source-layer": "crews",
      layout: { ...show("crews"), "icon-image": ["concat", "crew-", ["get", "state"], ["case", has("heading"), "-heading", ""]],
        "icon-rotate": ["to-number", ["get", "heading"], 0], "icon-rotation-alignment": "map", "icon-allow-overlap": true,
        "icon-size": sized(c.k, 9, 0.65, 14, 1) }, paint: { "icon-opacity": faded } },
    { id: "crew-names", type: "symbol", source: "crews", "source-layer": "crews", minzoom: 12.5,
      layout: { ...show("crews"), "text-field": ["step", ["zoom"], ["get", "name"], 13.5, ["format", ["get", "name"], {}, "\n", {}, crewAge(), { "font-scale": 0.9 }]], "text-size": 11 * c.k, "text-font": ["Noto Sans CJK SC", "sans-serif"],
        "text-offset": [0, 1.3], "text-anchor": "top", "text-optional": true },
      paint: { "text-color": c.action, "text-halo-color": c["map-halo"], "text-halo-width": 1.6 * c.k } },
  ];
}

function networkLayers(c, show) {
  const hue = ["match", ["get", "utility"], "water", c.water, "gas", c.gas, "heat", ["match", ["get", "flow"], "return", c.return, c.supply], c.grey];
  const beside = ["match", ["get", "utility"], "water", -4, "gas", 4, "heat", ["match", ["get", "flow"], "return", 1.4, -1.4], 0]; // pipes of one street lie side by side
  const lines = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "pipelines", type: "line", source: "pipelines", "source-layer": "pipelines", layout: { ...show("pipelines"), ...lines },
      paint: {
        "line-color": hue,
        "line-offset": ["interpolate", ["linear"], ["zoom"], 10, ["*", beside, 0.3], 14, beside, 18, ["*", beside, 2.5]],
        "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], 9, 1, 13, ["match", ["get", "level"], "secondary", 1.2, 2], 18, ["match", ["get", "level"], "secondary", 3, 5]],
      } },
    { id: "blind-spots-edge", type: "line", source: "blind_spots", "source-layer": "blind_spots", layout: { ...show("blind_spots"), ...lines },
      paint: { "line-color": c.panel, "line-width": 12, "line-opacity": 0.85 } },
    { id: "blind-spots", type: "line", source: "blind_spots", "source-layer": "blind_spots", layout: { ...show("blind_spots"), "line-join": "round" },
      paint: { "line-pattern": "hatch", "line-width": 9 } },
    { id: "camera-views", type: "symbol", source: "cameras", "source-layer": "cameras", minzoom: 13,
      filter: ["all", has("bearing_deg"), ["==", ["get", "state"], "working"]],
      layout: { ...show("cameras"), "icon-image": "camera_view", "icon-rotate": ["to-number", ["get", "bearing_deg"], 0],
        "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-size": ["interpolate", ["exponential", 2], ["zoom"], 13, 0.5, 18, 2.4] } },
    { id: "cameras", type: "symbol", source: "cameras", "source-layer": "cameras", minzoom: 11,
      layout: { ...show("cameras"), "icon-image": ["match", ["get", "state"], "working", "camera", "camera_off"], "icon-allow-overlap": true, "icon-size": 0.8 * c.k } },
    { id: "supply-points", type: "symbol", source: "supply_points", "source-layer": "supply_points", minzoom: 14,
      layout: { ...show("supply_points"), "icon-image": "supply_point", "icon-allow-overlap": true, "icon-size": sized(c.k, 14, 0.35, 18, 0.8) } },
    { id: "valves", type: "symbol", source: "valves", "source-layer": "valves", minzoom: 13,
      layout: { ...show("valves"), "icon-allow-overlap": true, "icon-size": sized(c.k, 13, 0.4, 18, 0.9),
        "icon-image": ["case", ["!", ["to-boolean", ["get", "is_open"]]], "valve_closed", ["==", ["get", "reach"], "unreachable"], "valve_unreachable", "valve"] } },
    { id: "sources", type: "symbol", source: "sources", "source-layer": "sources",
      layout: { ...show("sources"), "icon-image": "source", "icon-allow-overlap": true, "icon-size": sized(c.k, 9, 0.6, 13, 0.9, 16, 1.2) } },
    { id: "stations", type: "symbol", source: "stations", "source-layer": "stations",
      layout: { ...show("stations"), "icon-image": "station", "icon-allow-overlap": true,
        "icon-size": sized(c.k, 9, 0.4, 13, 0.75, 16, 1) } },
  ];
}

function pickedLayers(c) {
  return [
    { id: "trail", type: "line", source: "picked", filter: ["==", ["get", "kind"], "trail"], layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": c.action, "line-width": 3.5 * c.k, "line-opacity": 0.75 } },
    { id: "trail-points", type: "circle", source: "picked", filter: ["==", ["get", "kind"], "deed"],
      paint: { "circle-radius": 5 * c.k, "circle-color": c.panel, "circle-stroke-color": c.action, "circle-stroke-width": 2 * c.k } },
    { id: "preview", type: "line", source: "picked", filter: ["==", ["get", "kind"], "preview"], layout: { "line-cap": "round" },
      paint: { "line-color": c.action, "line-width": 2.5 * c.k, "line-dasharray": [2, 1.6] } },
    { id: "picked", type: "circle", source: "picked", filter: ["==", ["get", "kind"], "here"],
      paint: { "circle-radius": 17 * c.k, "circle-color": c.panel, "circle-opacity": ["case", ["==", ["get", "sign"], ""], 0, 0.9], "circle-stroke-color": c.action, "circle-stroke-width": 3 * c.k } },
    { id: "picked-sign", type: "symbol", source: "picked", filter: ["all", ["==", ["get", "kind"], "here"], ["!=", ["get", "sign"], ""]],
      layout: { "icon-image": ["get", "sign"], "icon-allow-overlap": true, "icon-size": c.k } },
  ];
}

/** `{sources, layers}` over the base map: `query` are the filters of the complaints, `shown` the switched-on groups. */
export function overlays({ query, shown, picked }) {
  const show = (group) => ({ visibility: shown.includes(group) ? "visible" : "none" });
  return (c) => ({
    sources: {
      complaints: source("complaints", { query }), crews: source("crews"), stations: source("stations"),
      pipelines: source("pipelines"), valves: source("valves", { minzoom: 13 }), sources: source("sources"),
      supply_points: source("supply_points", { minzoom: 14 }), cameras: source("cameras", { minzoom: 11 }), blind_spots: source("blind_spots"),
      picked: { type: "geojson", data: picked },
    },
    layers: [...networkLayers(c, show), ...complaintLayers(c, show), ...crewLayers(c, show), ...pickedLayers(c)],
  });
}
