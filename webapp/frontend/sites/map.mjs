// The small maps of sites: one way to make them, one way to say that there is none.
import { t } from "../common/words.mjs";

export const feature = (geometry, properties = {}) => ({ type: "Feature", properties, geometry });
export const collection = (features) => ({ type: "FeatureCollection", features });
export const point = (lon, lat, properties) => feature({ type: "Point", coordinates: [lon, lat] }, properties);

/** Every corner of a GeoJSON geometry. */
export const corners = (geometry) => (geometry ? geometry.coordinates.flat(geometry.type === "MultiPolygon" ? 2 : geometry.type === "Polygon" ? 1 : 0) : []);

/** West-south and east-north of some places, a little wider than nothing. */
export function around(places, least = 0.002) {
  const lons = places.map(([lon]) => lon), lats = places.map(([, lat]) => lat);
  const [w, e, s, n] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  const x = Math.max((least - (e - w)) / 2, 0), y = Math.max((least - (n - s)) / 2, 0);
  return [[w - x, s - y], [e + x, n + y]];
}

/** A map in `box`; says so in words where the browser cannot draw one. */
export async function mapIn(box, options) {
  const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  box.replaceChildren();
  const map = makeMap(box, { tileUrl: box.closest("[data-tile-url]")?.dataset.tileUrl || undefined, fitBoundsOptions: { padding: 40, maxZoom: 17 }, ...options });
  map.once("load", () => { box.dataset.mapReady = "1"; });
  return { map, maplibre };
}

export function noMap(box) {
  const notice = document.createElement("p");
  notice.textContent = t("There is no map here; everything on it is in the table.");
  box.replaceChildren(notice);
}

/** The layers of a ground: filled softly, with an outline. */
export const groundLayers = (c, source) => [
  { id: `${source}-fill`, type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": c.action, "fill-opacity": 0.18 } },
  { id: `${source}-line`, type: "line", source, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": c.action, "line-width": 2 } },
];
