// A sketch of where things lie: no tiles, no network, north up, a scale, and the list below says the same in words.
import { el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { chip, distance, svg } from "./parts.mjs";
import { wayTo } from "./rules.mjs";

const SIZE = 360;
const EDGE = 34;
const WINDS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

/** Points `{lon, lat, name, state, href | open}` around `here` (or their middle). */
export function sketch(points, here) {
  const placed = points.filter((p) => p.lon !== null && p.lat !== null);
  if (!placed.length) return el("p", { class: "empty" }, t("Nothing with a known place."));
  const near = here ? placed.map((p) => ({ ...p, way: wayTo(here, p) })).sort((a, b) => a.way.metres - b.way.metres).slice(0, 25) : placed.slice(0, 25);
  const view = projection(here ? [...near, here] : near);
  const marks = near.map((p, i) => mark(p, i + 1, view(p)));
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "sketch", role: "img", "aria-label": t("Sketch of the places, north up") },
    svg("rect", { width: SIZE, height: SIZE, class: "ground" }), grid(), marks, here ? me(view(here), here, view.perMetre) : null, scale(view.perMetre));
  return [drawing, places(near, here)];
}

/** Places as a list with the numbers of the map, each with its way from `here`. */
export function places(points, here) {
  return el("ol", { class: "places" }, points.map((p, i) => row(here && p.lon !== null ? { ...p, way: wayTo(here, p) } : p, i + 1)));
}

function projection(points) {
  const [lons, lats] = [points.map((p) => p.lon), points.map((p) => p.lat)];
  const mid = { lon: (Math.min(...lons) + Math.max(...lons)) / 2, lat: (Math.min(...lats) + Math.max(...lats)) / 2 };
  const east = 111_320 * Math.cos((mid.lat * Math.PI) / 180);
  const span = Math.max(300, (Math.max(...lons) - Math.min(...lons)) * east, (Math.max(...lats) - Math.min(...lats)) * 110_574);
  const perMetre = (SIZE - 2 * EDGE) / span;
  const view = (p) => ({ x: SIZE / 2 + (p.lon - mid.lon) * east * perMetre, y: SIZE / 2 - (p.lat - mid.lat) * 110_574 * perMetre });
  view.perMetre = perMetre;
  return view;
}

function mark(point, number, { x, y }) {
  const shape = point.kind === "site" ? svg("rect", { x: x - 13, y: y - 13, width: 26, height: 26, rx: 4 }) : svg("circle", { cx: x, cy: y, r: 14 });
  return svg("g", { class: `mark ${point.state}` }, shape, svg("text", { x, y: y + 5, "text-anchor": "middle" }, String(number)));
}

function me({ x, y }, { accuracy_m: accuracy }, perMetre) {
  return svg("g", { class: "me" }, svg("circle", { cx: x, cy: y, r: Math.max(10, accuracy * perMetre), class: "around" }), svg("circle", { cx: x, cy: y, r: 7 }));
}

function grid() {
  const lines = [1, 2, 3].map((i) => (SIZE / 4) * i);
  return svg("g", { class: "grid" }, lines.map((at) => [svg("path", { d: `M${at} 0V${SIZE}` }), svg("path", { d: `M0 ${at}H${SIZE}` })]),
    svg("path", { d: `M${SIZE - 20} 34V12m-6 8l6-8 6 8`, class: "north" }), svg("text", { x: SIZE - 20, y: 48, "text-anchor": "middle" }, "N"));
}

function scale(perMetre) {
  const metres = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000].find((m) => m * perMetre > 50) ?? 50_000;
  return svg("g", { class: "scale" }, svg("path", { d: `M14 ${SIZE - 16}v6h${metres * perMetre}v-6` }),
    svg("text", { x: 14, y: SIZE - 22 }, distance(metres)));
}

function row(point, number) {
  const wind = point.way ? t(WINDS[Math.round(point.way.bearing / 45) % 8]) : "";
  const inside = [el("b", {}, String(number)), el("span", { class: "grow" }, point.name), point.way ? chip(`${wind} ${distance(point.way.metres)}`) : null];
  return el("li", {}, point.href ? el("a", { class: "item line", href: point.href }, inside) : el("button", { type: "button", class: "item line", onclick: point.open }, inside));
}
