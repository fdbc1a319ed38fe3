// Where a site is: a point, a ground drawn corner by corner, or a building under a click. The form holds what is sent.
import { ask } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { around, collection, feature, groundLayers, mapIn, noMap } from "./map.mjs";

const form = document.querySelector("[data-draw]");
const box = form.querySelector("[data-map]");
const told = form.querySelector("[data-told]");
const field = (name) => form.elements[name];
const undo = form.querySelector("[data-undo]");
const PINGDU = [119.96, 36.78];
const HELP = {
  point: t("Click where the site is."), polygon: t("Click corner after corner; click the first one to close. Corners can be dragged."),
  building: t("Click on a building."),
};

let mode = field("building_id").value ? "building" : field("ground").value ? "polygon" : "point";
let ring = field("ground").value ? JSON.parse(field("ground").value).coordinates[0].slice(0, -1) : [];
let closed = ring.length > 2;
let chosen = null; // the ground of the building
let map = null, maplibre = null, marks = [];

const typed = () => [Number(field("lon").value), Number(field("lat").value)];
const placed = () => Boolean(field("lon").value && field("lat").value) && typed().every(Number.isFinite);

function say(words) { told.textContent = words; }

function setPoint([lon, lat]) {
  field("lon").value = lon.toFixed(6);
  field("lat").value = lat.toFixed(6);
}

/** What the form sends follows from what is drawn. */
function keep() {
  field("ground").value = mode === "polygon" && closed ? JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] }) : "";
  if (mode === "polygon" && closed) setPoint(middle(ring));
  undo.disabled = mode !== "polygon" || !ring.length;
  show();
}

const middle = (places) => [0, 1].map((axis) => places.reduce((sum, p) => sum + p[axis], 0) / places.length);

function drawn() {
  if (mode === "building" && chosen) return [feature(chosen)];
  if (mode !== "polygon" || !ring.length) return [];
  if (closed) return [feature({ type: "Polygon", coordinates: [[...ring, ring[0]]] })];
  return ring.length > 1 ? [feature({ type: "LineString", coordinates: ring })] : [];
}

function show() {
  if (!map) return;
  map.getSource("ground")?.setData(collection(drawn()));
  for (const mark of marks) mark.remove();
  marks = mode === "polygon" ? ring.map(corner) : [];
  if (mode !== "polygon" && placed()) marks.push(new maplibre.Marker({ color: getComputedStyle(document.documentElement).getPropertyValue("--red") }).setLngLat(typed()).addTo(map));
}

function corner(place, n) {
  const element = document.createElement("div");
  element.className = "corner";
  const mark = new maplibre.Marker({ element, draggable: true }).setLngLat(place).addTo(map);
  mark.on("dragend", () => { const at = mark.getLngLat(); ring[n] = [at.lng, at.lat]; keep(); });
  element.addEventListener("click", (event) => { event.stopPropagation(); if (n === 0 && ring.length > 2 && !closed) close(); });
  return mark;
}

function close() {
  closed = true;
  say(t("The ground is drawn. Drag a corner to move it, or undo."));
  keep();
}

async function clicked({ lngLat, point: at }) {
  if (mode === "point") { setPoint([lngLat.lng, lngLat.lat]); return keep(); }
  if (mode === "building") return building(lngLat);
  if (closed) return;
  const first = ring.length > 2 ? map.project(ring[0]) : null;
  if (first && Math.hypot(first.x - at.x, first.y - at.y) < 12) return close();
  ring.push([lngLat.lng, lngLat.lat]);
  if (ring.length === 3) say(t("Click the first corner to close, or go on."));
  keep();
}

async function building({ lng, lat }) {
  const { building: found } = await ask(`${form.dataset.buildingUrl}?lon=${lng}&lat=${lat}`);
  if (!found) return say(t("No building is known there."));
  field("building_id").value = found.id;
  chosen = found.ground;
  setPoint([lng, lat]);
  say(t("Building %(name)s", { name: found.name || found.code }));
  keep();
}

function choose(wanted) {
  mode = wanted;
  if (mode !== "building") { field("building_id").value = ""; chosen = null; }
  for (const button of form.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  say(HELP[mode]);
  keep();
}

for (const button of form.querySelectorAll("[data-mode]")) button.addEventListener("click", () => choose(button.dataset.mode));
undo.addEventListener("click", () => { if (closed) closed = false; else ring.pop(); say(HELP.polygon); keep(); });
form.querySelector("[data-clear]").addEventListener("click", () => {
  ring = []; closed = false; chosen = null;
  for (const name of ["lon", "lat", "building_id"]) field(name).value = "";
  keep();
});
for (const name of ["lon", "lat"]) field(name).addEventListener("change", show);
form.addEventListener("submit", (event) => {
  if (mode === "polygon" && ring.length && !closed) { event.preventDefault(); say(t("The ground is not closed yet: click its first corner, or clear it.")); told.scrollIntoView({ block: "center" }); }
});

async function draw() {
  const extent = form.dataset.extent?.split(",").map(Number);
  const places = [...(placed() ? [typed()] : []), ...ring];
  const over = (c) => ({ sources: { ground: { type: "geojson", data: collection(drawn()) } }, layers: groundLayers(c, "ground") });
  const bounds = places.length ? around(places) : extent?.length === 4 ? [[extent[0], extent[1]], [extent[2], extent[3]]] : null;
  ({ map, maplibre } = await mapIn(box, { over, ...(bounds ? { bounds } : { center: PINGDU, zoom: 12 }) }));
  map.on("click", clicked);
  map.doubleClickZoom.disable();
  map.getCanvas().style.cursor = "crosshair";
  for (const button of form.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  show();
}

undo.disabled = mode !== "polygon" || !ring.length;
draw().catch(() => noMap(box));
