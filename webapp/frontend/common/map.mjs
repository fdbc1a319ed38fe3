// The map of the desk: MapLibre on our own tiles, drawn in the page's own colours, light and dark. Nothing from outside,
// unless the bureau configured a raster base map.
import * as maplibre from "/static/vendor/maplibre-gl.mjs";
import { onPaper } from "./paper.mjs";
import { language } from "./words.mjs";

maplibre.setWorkerUrl("/static/vendor/maplibre-gl-worker.mjs");

const root = document.documentElement;
const FONTS = ["Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const NAMES = ["page", "panel", "sunken", "line", "text", "soft", "action", "on-action", "action-soft", "green", "yellow", "orange",
  "red", "grey", "share-0", "share-1", "share-2", "share-3", "water", "gas", "supply", "return", "camera", "blindspot", "map-land", "map-area", "map-border", "map-road",
  "map-road-edge", "map-building", "map-label", "map-halo"];

/** The colours of the page as they are now, and `k`: how much larger than usual its text is (the wall setting). */
export function colours() {
  const style = getComputedStyle(root);
  const found = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || "#888"]));
  return { ...found, k: parseFloat(style.fontSize) / 16 || 1 };
}

/** Can this browser draw the map at all? */
export function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/** Where a layer's tiles are; `query` is the part after the question mark. */
export function tiles(layer, query = "") {
  const base = root.dataset.tiles ?? "/tiles"; // the public pages have tiles of their own
  return [`${location.origin}${base}/${layer}/{z}/{x}/{y}.mvt${query ? `?${query}` : ""}`];
}

/** A vector source of our own tiles. */
export function source(layer, { query = "", minzoom = 0, maxzoom = 18, promoteId } = {}) {
  return { type: "vector", tiles: tiles(layer, query), minzoom, maxzoom, ...(promoteId ? { promoteId } : {}) };
}

const byZoom = (...stops) => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops];
const WIDTHS = { motorway: 3.2, trunk: 3, primary: 2.6, secondary: 2.2, tertiary: 1.8 };
const roadClass = ["match", ["get", "highway"], ...Object.entries(WIDTHS).flat(), 1.1];
const roadWidth = (extra) => byZoom(8, ["+", ["*", roadClass, 0.35], extra * 0.4], 13, ["+", ["*", roadClass, 1.1], extra],
  17, ["+", ["*", roadClass, 5], extra]);

/** A size that grows with the page's text: stops `zoom, size, zoom, size …`; with `k` for every size. */
export const sized = (k, ...stops) => ["interpolate", ["linear"], ["zoom"], ...stops.map((value, n) => (n % 2 ? ["*", value, k] : value))];

function areaLayers(c) {
  const level = (name) => ["==", ["get", "level"], name];
  const border = (id, name, width, dash) => ({
    id, type: "line", source: "areas", "source-layer": "areas", filter: level(name), layout: { "line-join": "round" },
    paint: { "line-color": c["map-border"], "line-width": width, ...(dash ? { "line-dasharray": dash } : {}) },
  });
  return [
    { id: "areas-district", type: "fill", source: "areas", "source-layer": "areas", filter: level("district"),
      paint: { "fill-color": c["map-area"] } },
    { id: "areas-compound", type: "fill", source: "areas", "source-layer": "areas", filter: level("compound"), minzoom: 13,
      paint: { "fill-color": c["action-soft"], "fill-opacity": 0.45 } },
    border("border-compound", "compound", 0.8),
    border("border-community", "community", 0.8, [2, 3]),
    border("border-street", "street", 1, [4, 3]),
    border("border-district", "district", byZoom(6, 1, 12, 2.2)),
    border("border-city", "city", 2.4),
  ];
}

function streetLayers(c) {
  const lines = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "buildings", type: "fill", source: "buildings", "source-layer": "buildings", minzoom: 13,
      paint: { "fill-color": c["map-building"], "fill-outline-color": c["map-border"], "fill-opacity": byZoom(13, 0.4, 16, 1) } },
    { id: "roads-edge", type: "line", source: "roads", "source-layer": "roads", layout: lines,
      paint: { "line-color": c["map-road-edge"], "line-width": roadWidth(1.2) } },
    { id: "roads", type: "line", source: "roads", "source-layer": "roads", layout: lines,
      paint: { "line-color": c["map-road"], "line-width": roadWidth(0) } },
  ];
}

function labelLayers(c) {
  const text = (size) => ({ "text-font": FONTS, "text-size": ["*", size, c.k], "text-max-width": 8 });
  const ink = (colour) => ({ "text-color": c[colour], "text-halo-color": c["map-halo"], "text-halo-width": 1.6 * c.k });
  return [
    { id: "label-roads", type: "symbol", source: "roads", "source-layer": "roads", minzoom: 13.5, filter: ["!=", ["coalesce", ["get", "name"], ""], ""],
      layout: { ...text(11), "text-field": ["get", "name"], "symbol-placement": "line", "symbol-spacing": 320, "text-padding": 12 },
      paint: ink("map-label") },
    { id: "label-places", type: "symbol", source: "gazetteer", "source-layer": "gazetteer", minzoom: 12,
      filter: [">=", ["get", "rank"], 4],
      layout: { ...text(11.5), "text-field": ["get", "name"], "symbol-sort-key": ["get", "rank"], "text-padding": 10 },
      paint: ink("map-label") },
    { id: "label-areas", type: "symbol", source: "gazetteer", "source-layer": "gazetteer", maxzoom: 14, filter: ["<", ["get", "rank"], 4],
      layout: { ...text(["match", ["get", "rank"], 1, 16, 2, 15, 12.5]), "text-field": ["get", "name"], "symbol-sort-key": ["get", "rank"],
        "text-letter-spacing": 0.08, "text-padding": 8 },
      paint: ink("soft") },
  ];
}

/** The whole style: base map, then whatever the page lays over it (`over(colours)` gives `{sources, layers}`), then names. */
export function style(over, { tileUrl } = {}) {
  const c = colours();
  const more = over ? over(c) : { sources: {}, layers: [] };
  return {
    version: 8,
    sources: {
      areas: source("areas"), roads: source("roads", { minzoom: 5 }), buildings: source("buildings", { minzoom: 13 }),
      gazetteer: source("gazetteer"),
      ...(tileUrl ? { raster: { type: "raster", tiles: [tileUrl], tileSize: 256, maxzoom: 18 } } : {}),
      ...more.sources,
    },
    layers: [
      { id: "land", type: "background", paint: { "background-color": c["map-land"] } },
      ...(tileUrl ? [{ id: "raster", type: "raster", source: "raster" }] : []),
      ...areaLayers(c).filter((layer) => !(tileUrl && layer.type === "fill")), ...(tileUrl ? [] : streetLayers(c)),
      ...labelLayers(c), ...more.layers,
    ],
  };
}

const CHINESE = {
  "NavigationControl.ZoomIn": "放大", "NavigationControl.ZoomOut": "缩小", "NavigationControl.ResetBearing": "指北",
  "Map.Title": "地图", "ScaleControl.Meters": "米", "ScaleControl.Kilometers": "公里",
};

/** Lay what the map shows now over it, on a canvas that keeps it; the map's own is read in the same breath as it is drawn. */
function pictureOf(map) {
  map.redraw();
  const from = map.getCanvas();
  const kept = Object.assign(document.createElement("canvas"), { className: "map-on-paper", width: from.width, height: from.height });
  kept.getContext("2d").drawImage(from, 0, 0);
  from.after(kept); // under the signs that lie on the map
  return kept;
}

/**
 * A map in `container` that follows the page's theme. `over(colours)` adds sources and layers, `images(map, colours)` icons.
 * Throws where there is no WebGL: ask `canDraw()` first and show a notice.
 */
export function makeMap(container, { center = [119.96, 36.78], zoom = 11, over, images, tileUrl, ...options } = {}) {
  const map = new maplibre.Map({
    container, center, zoom, style: style(over, { tileUrl }), attributionControl: false, dragRotate: false, pitchWithRotate: false,
    touchPitch: false, maxZoom: 19, minZoom: 4, fadeDuration: 0, locale: language === "zh" ? CHINESE : {}, ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 100 }), "bottom-right");
  onPaper(map.getContainer(), () => pictureOf(map));
  const draw = () => images?.(map, colours());
  map.on("style.load", draw);
  const restyle = () => {
    draw();
    map.setStyle(style(over, { tileUrl }));
  };
  root.addEventListener("themechange", restyle);
  root.addEventListener("textsizechange", restyle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  return map;
}

/** Put or replace an icon. */
export function putImage(map, name, data, pixelRatio = 2) {
  if (map.hasImage(name)) map.updateImage(name, data);
  else map.addImage(name, data, { pixelRatio });
}

export { maplibre };
