// A map that needs no network: the same base map as at the desk, drawn from the squares that lie on this phone.
//
// MapLibre is fetched only when a map is opened. Its worker is made from the kept file, because a worker's own address is
// outside of what the service worker may answer. Where a fine square is missing, the coarser one above it is shown larger.
import { el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import * as api from "./api.mjs";
import { FINEST } from "./map_plan.mjs";
import * as store from "./map_store.mjs";
import { cut } from "./prefetch.mjs";

const WORKER = "/static/vendor/maplibre-gl-worker.mjs";
const SHEETS = ["/static/vendor/maplibre-gl.css", "/static/css/basemap.css"];
const LAYERS = ["areas", "roads", "buildings", "gazetteer"];
const ASIDE_PX = 40;
const FIT = { padding: { top: 56, bottom: 48, left: 48, right: 88 }, maxZoom: 15 }; // the buttons stand at the right
const EMPTY = { type: "FeatureCollection", features: [] };
let loading = null;

/** The map's library with our own way to the squares; `null` where this phone cannot draw it. */
function library() {
  loading ??= prepare().catch((error) => { console.error(error); loading = null; return null; });
  return loading;
}

async function prepare() {
  for (const href of SHEETS) if (!document.querySelector(`link[href="${href}"]`)) await sheet(href);
  const made = await import("/frontend/common/map.mjs");
  if (!made.canDraw()) return null;
  const worker = new Blob([await (await fetch(WORKER)).text()], { type: "text/javascript" });
  made.maplibre.setWorkerUrl(URL.createObjectURL(worker));
  made.maplibre.addProtocol("kept", async ({ url }) => ({ data: await square(url.slice("kept://".length)) }));
  return made;
}

function sheet(href) {
  return new Promise((done, fail) => document.head.append(el("link", { rel: "stylesheet", href, onload: done, onerror: () => fail(new Error(href)) })));
}

/** A square from the phone, else from the server; without either the map shows the one above it. */
async function square(key) {
  const kept = await store.body(key);
  if (kept) return kept.slice(0);
  const [made] = cut([key], await api.postForBytes("/tiles", { tiles: [key] }));
  await store.keep([{ key, body: made.body.slice(0) }]);
  return made.body;
}

const source = (name) => ({ type: "vector", tiles: ["kept://{z}/{x}/{y}"], minzoom: 8, maxzoom: FINEST, ...(name === "buildings" ? { minzoom: 13 } : {}) });

function over(c) {
  return {
    sources: { ...Object.fromEntries(LAYERS.map((name) => [name, source(name)])), way: { type: "geojson", data: EMPTY }, around: { type: "geojson", data: EMPTY } },
    layers: [
      { id: "way", type: "line", source: "way", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": c.action, "line-width": 3, "line-dasharray": [2, 2], "line-opacity": 0.8 } },
      { id: "around", type: "fill", source: "around", paint: { "fill-color": c.action, "fill-opacity": 0.15, "fill-outline-color": c.action } },
    ],
  };
}

/** A map with numbered marks. `node` stays the same while screens are drawn anew around it. */
export class GroundMap {
  constructor(label) {
    this.node = el("div", { class: "ground", role: "region", "aria-label": label }, el("p", { class: "loading" }, t("Drawing the map …")));
    this.below = el("div", { class: "stack" }); // what the screen writes under it: drawn anew while the map stays under the finger
    this.marks = new Map();
    this.fitted = false;
  }

  /**
   * Show marks `[{key, lon, lat, sign, name, state, href | open}]`, the way between them, and where the phone is. Resolves to
   * false where no map can be drawn.
   */
  async show(marks, here, { way = false } = {}) {
    this.wanted = { marks: apart(marks.filter((mark) => mark.lon !== null && mark.lat !== null)), here, way };
    this.made ??= this.make();
    const map = await this.made;
    if (!map || this.closed) return false;
    this.draw(map);
    return true;
  }

  async make() {
    const found = await library();
    if (!found || this.closed) return null;
    this.library = found;
    this.node.replaceChildren();
    const map = found.makeMap(this.node, { ...this.view(), over, maxZoom: 17.5, minZoom: 8 });
    map.on("error", () => {}); // a square that is not here: the one above it is shown
    map.on("style.load", () => this.lines(map));
    map.on("idle", () => { this.node.dataset.idle = String(map.queryRenderedFeatures({ layers: ["areas-district", "roads", "buildings"] }).length); });
    this.map = map;
    return map;
  }

  view() {
    const { marks, here } = this.wanted;
    const points = marks.length ? marks : here ? [here] : [];
    if (!points.length) return {};
    this.fitted = true;
    const [lons, lats] = [points.map((p) => p.lon), points.map((p) => p.lat)];
    return { bounds: [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]], fitBoundsOptions: FIT };
  }

  draw(map) {
    const { marks, here } = this.wanted;
    if (!this.fitted && marks.length) map.fitBounds(this.view().bounds, { ...FIT, animate: false });
    const keys = new Set(marks.map((mark) => mark.key));
    for (const [key, marker] of this.marks) if (!keys.has(key)) { marker.remove(); this.marks.delete(key); }
    for (const mark of marks) this.put(map, mark);
    if (here) this.put(map, { key: "me", lon: here.lon, lat: here.lat, state: "me", name: t("You are here, ±%(m)s m", { m: Math.round(here.accuracy_m) }) });
    this.lines(map);
  }

  put(map, mark) {
    const face = `${mark.sign} ${mark.state} ${mark.name} ${mark.href} ${mark.aside}`;
    const before = this.marks.get(mark.key);
    if (before && before.face === face) return before.setLngLat([mark.lon, mark.lat]);
    before?.remove();
    const tag = mark.href ? "a" : mark.open ? "button" : "span";
    const label = `${mark.sign ?? ""} ${mark.name}`.trim();
    const node = el(tag, { class: `pin ${mark.state}`, href: mark.href ?? null, type: tag === "button" ? "button" : null, onclick: mark.open ?? null, role: tag === "span" ? "img" : null,
      "aria-label": label, dataset: { mark: mark.key } }, el("b", {}, mark.sign ?? ""));
    const marker = new this.library.maplibre.Marker({ element: node, offset: [mark.aside ?? 0, 0] }).setLngLat([mark.lon, mark.lat]).addTo(map);
    node.setAttribute("aria-label", label); // MapLibre writes its own word there
    marker.face = face;
    this.marks.set(mark.key, marker);
    return marker;
  }

  lines(map) {
    const { marks, here, way } = this.wanted;
    const line = marks.filter((mark) => mark.stop).map((mark) => [mark.lon, mark.lat]);
    map.getSource("way")?.setData(way && line.length > 1 ? { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: line } } : EMPTY);
    map.getSource("around")?.setData(here ? circle(here) : EMPTY);
  }

  /** Is it on the screen already? Then only its marks and what is below are to be brought up to date. */
  get open() {
    return Boolean(this.map) && this.node.isConnected;
  }

  /** The screen is left. */
  close() {
    this.closed = true;
    this.map?.remove();
  }
}

/** Marks of one place stand side by side, so that each can be hit. */
function apart(marks) {
  const places = new Map();
  for (const mark of marks) {
    const place = `${mark.lon.toFixed(4)} ${mark.lat.toFixed(4)}`;
    places.set(place, [...(places.get(place) ?? []), mark]);
  }
  return marks.map((mark) => {
    const same = places.get(`${mark.lon.toFixed(4)} ${mark.lat.toFixed(4)}`);
    return { ...mark, aside: (same.indexOf(mark) - (same.length - 1) / 2) * ASIDE_PX };
  });
}

/** How far off the position may be, as a ring of 48 corners. */
function circle({ lon, lat, accuracy_m: metres }) {
  const [dy, dx] = [metres / 110_574, metres / (111_320 * Math.cos((lat * Math.PI) / 180))];
  const ring = Array.from({ length: 49 }, (_, i) => [lon + dx * Math.cos((i * Math.PI) / 24), lat + dy * Math.sin((i * Math.PI) / 24)]);
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
