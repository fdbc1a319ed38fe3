// One site on the map: its point and its ground.
import { around, collection, corners, feature, groundLayers, mapIn, noMap, point } from "./map.mjs";

const box = document.querySelector("[data-ground]");
const ground = JSON.parse(box.dataset.ground);
const here = [Number(box.dataset.lon), Number(box.dataset.lat)];
const over = (c) => ({
  sources: { ground: { type: "geojson", data: collection(ground ? [feature(ground)] : []) }, here: { type: "geojson", data: collection([point(...here)]) } },
  layers: [...groundLayers(c, "ground"), { id: "here", type: "circle", source: "here", paint: { "circle-radius": 7 * c.k, "circle-color": c.action, "circle-stroke-color": c.panel, "circle-stroke-width": 2 } }],
});
mapIn(box, { over, bounds: around([here, ...corners(ground)]) }).catch(() => noMap(box));
