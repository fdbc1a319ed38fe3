// The middle pane: the map, what is pointed at and picked on it, and how it follows the one selection of the page.
import { el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { exact, relative, stateWords } from "./clock.mjs";
import { GROUPS, KINDS, SHOWN_FIRST, overlays, putImages } from "./layers.mjs";

const NOTHING = { type: "FeatureCollection", features: [] };
const POINTED = Object.keys(KINDS);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Draws the map into `root`; without WebGL a notice, and everything else of the page works on. */
export class MapPane {
  map = null;
  #root; #view; #store; #crews; #open; #tileUrl; #picked = NOTHING; #here = null; #popup; #maplibre; #crewLine = null; #trail = null; #followed = false; #sign = null;

  constructor({ root, view, store, crews, open, tileUrl }) {
    this.#root = root; this.#view = view; this.#store = store; this.#crews = crews; this.#open = open; this.#tileUrl = tileUrl;
  }

  get shown() {
    return this.#view.layers ?? SHOWN_FIRST;
  }

  /** Load MapLibre only here: a browser that cannot draw never loads a megabyte for nothing. */
  async start() {
    let library;
    try {
      library = await import("../common/map.mjs");
    } catch (error) {
      return this.#refuse(t("The map could not be loaded"), String(error.message ?? error));
    }
    if (!library.canDraw()) {
      return this.#refuse(t("This browser cannot draw the map (no WebGL)"), t("Everything on it is in the lists: complaints, crews and the network."));
    }
    this.#maplibre = library.maplibre;
    try {
      this.#make(library);
    } catch (error) {
      this.#refuse(t("The map could not be drawn"), String(error.message ?? error));
    }
    return undefined;
  }

  /** Complaints or crews moved: ask for the visible tiles again. */
  refresh(...sources) {
    if (!this.map?.isStyleLoaded()) return;
    for (const name of sources) if (this.map.getSource(name)) this.map.refreshTiles(name);
  }

  /** Show where the list's complaints are, once, when nobody asked for a place; from then on the URL follows the map. */
  frame() {
    const asked = this.#view.at || this.#here;
    if (!this.map || this.#followed) return;
    if (asked) { this.#followed = true; return; }
    const places = this.#store.rows.filter((row) => row.lon !== null && row.lon !== undefined);
    const found = places.length ? places : this.#crews.rows.filter((crew) => crew.lon);
    if (!found.length) return;
    this.#followed = true;
    const cut = (values) => { const sorted = values.sort((a, b) => a - b); const k = Math.floor(sorted.length * 0.04); return [sorted[k], sorted.at(-1 - k)]; };
    const [west, east] = cut(found.map((p) => p.lon)), [south, north] = cut(found.map((p) => p.lat));
    this.map.fitBounds([[west, south], [east, north]], { padding: 60, maxZoom: 14.5, animate: false });
  }

  /** Go to a place, unless it is already well inside the picture. */
  goTo(lon, lat, zoom = 15) {
    if (!this.map || lon === null || lon === undefined) return;
    const box = this.#root.getBoundingClientRect();
    const at = this.map.project([lon, lat]);
    const inside = at.x > 60 && at.y > 60 && at.x < box.width - 60 && at.y < box.height - 60;
    if (inside && this.map.getZoom() > 12) return;
    this.map.easeTo({ center: [lon, lat], zoom: Math.max(this.map.getZoom(), zoom), duration: still() ? 0 : 200 });
  }

  /** Ring the selected thing, and show its sign although it may lie in a cluster. */
  pick(lon, lat, sign = null) {
    this.#here = lon === null || lon === undefined ? null : [lon, lat];
    this.#sign = sign;
    this.#crewLine = null;
    this.#drawPicked();
  }

  /** A dashed line from a crew to the selected complaint, while the crew is pointed at in the list. */
  preview(crew) {
    this.#crewLine = crew && this.#here && crew.lon ? [[crew.lon, crew.lat], this.#here] : null;
    this.#drawPicked();
  }

  /** A crew's track: a line through its points, and a dot where it did something; null takes it away. */
  trail(points) {
    this.#trail = points;
    this.#drawPicked();
  }

  /** Drop a pin of a search result: the ring without a selection. */
  point(lon, lat) {
    this.pick(lon, lat);
    this.goTo(lon, lat);
  }

  show(group, on) {
    const layers = on ? [...this.shown, group] : this.shown.filter((name) => name !== group);
    this.#view.change({ layers: Object.keys(GROUPS).filter((name) => layers.includes(name)) }, { quiet: true });
  }

  focus() {
    (this.map?.getCanvas() ?? this.#root).focus();
  }

  resize() {
    this.map?.resize();
  }

  /** The crew whose sign is at this place of the window, if the map is there. */
  crewAt(x, y) {
    const box = this.#root.getBoundingClientRect();
    if (!this.map || x < box.left || x > box.right || y < box.top || y > box.bottom || !this.map.getLayer("crews")) return null;
    const at = [x - box.left, y - box.top];
    const [found] = this.map.queryRenderedFeatures([[at[0] - 8, at[1] - 8], [at[0] + 8, at[1] + 8]], { layers: ["crews"] });
    return found ? { crewId: Number(found.properties.id ?? found.id), start: null } : null;
  }

  /** The complaints that are drawn now, by their places on the map, and the places where several are drawn together. */
  complaintsShown() {
    const drawn = (layer) => (this.map?.getLayer(layer) ? this.map.queryRenderedFeatures({ layers: [layer] }) : []);
    const at = (feature) => { const p = this.map.project(feature.geometry.coordinates); return [p.x, p.y]; };
    return { points: drawn("complaints").map((f) => ({ id: Number(f.properties.id ?? f.id), at: at(f) })), cells: drawn("complaint-cells").map(at) };
  }

  /** `press(id, event)` is asked when a complaint is pressed: true keeps the map where it is. */
  onPress(press) {
    this.map?.on("mousedown", "complaints", (event) => {
      const [found] = event.features;
      if (found && press(Number(found.properties.id ?? found.id), event.originalEvent)) event.preventDefault();
    });
  }

  #make({ makeMap }) {
    const { at } = this.#view;
    this.map = makeMap(this.#root, {
      ...(at ? { center: [at.lon, at.lat], zoom: at.zoom } : {}), tileUrl: this.#tileUrl, images: putImages,
      over: (c) => overlays({ query: this.#view.query(), shown: this.shown, picked: this.#picked })(c),
    });
    this.#root.addEventListener("keydown", (event) => { if (event.key.startsWith("Arrow")) event.stopPropagation(); });
    this.map.getCanvas().setAttribute("aria-label", t("Map. Everything on it is also in the lists."));
    this.#follow();
    this.#point();
    if (this.#here) this.goTo(...this.#here);
  }

  #follow() {
    this.map.on("moveend", (event) => {
      if (!this.#followed && !event.originalEvent) return;
      this.#followed = true;
      const { lng, lat } = this.map.getCenter();
      this.#view.change({ at: { zoom: this.map.getZoom(), lat, lon: lng } }, { quiet: true });
    });
    this.map.on("error", (event) => this.#report(event));
    this.#view.addEventListener("at", () => {
      const { at } = this.#view;
      const c = this.map.getCenter();
      if (at && (Math.abs(c.lng - at.lon) > 1e-5 || Math.abs(c.lat - at.lat) > 1e-5)) this.map.jumpTo({ center: [at.lon, at.lat], zoom: at.zoom });
    });
    this.#view.addEventListener("filters", async () => {
      const { tiles } = await import("../common/map.mjs");
      this.map.getSource("complaints")?.setTiles(tiles("complaints", this.#view.query()));
    });
    this.#view.addEventListener("layers", () => {
      for (const [group, layers] of Object.entries(GROUPS)) {
        for (const id of layers) this.map.setLayoutProperty(id, "visibility", this.shown.includes(group) ? "visible" : "none");
      }
    });
  }

  #point() {
    const { Popup } = this.#maplibre;
    this.#popup = new Popup({ closeButton: false, closeOnClick: false, offset: 14, maxWidth: "280px" });
    this.map.on("mousemove", (event) => {
      const found = this.#at(event.point);
      this.map.getCanvas().style.cursor = found ? "pointer" : "";
      if (!found) return this.#popup.remove();
      return this.#popup.setLngLat(event.lngLat).setDOMContent(this.#tell(found)).addTo(this.map);
    });
    this.map.on("mouseout", () => this.#popup.remove());
    this.map.on("click", (event) => {
      const found = this.#at(event.point);
      if (!found) return;
      if (found.layer.id === "complaint-cells") this.map.easeTo({ center: found.geometry.coordinates, zoom: this.map.getZoom() + 2, duration: still() ? 0 : 200 });
      else this.#open(KINDS[found.layer.id], { ...found.properties, id: found.properties.id ?? found.id, lon: event.lngLat.lng, lat: event.lngLat.lat });
    });
  }

  #at(point) {
    const around = [[point.x - 5, point.y - 5], [point.x + 5, point.y + 5]];
    const layers = [...POINTED, "complaint-cells"].filter((id) => this.map.getLayer(id));
    return this.map.queryRenderedFeatures(around, { layers })[0];
  }

  /** What the pointer's label says: text only, and the same words as the lists. */
  #tell(feature) {
    const p = feature.properties;
    const lines = [];
    if (feature.layer.id === "complaint-cells") lines.push(t("%(n)s complaints, %(red)s overdue", { n: p.n, red: p.red ?? 0 }), t("Click to look closer"));
    else if (feature.layer.id === "complaints") {
      const card = this.#store.get(p.id ?? feature.id);
      lines.push(card ? `${card.category_name} · ${card.place}` : t("Complaint %(id)s", { id: p.id ?? feature.id }), `${word("status", p.status)} · ${stateWords(p.state)}`);
    } else if (feature.layer.id === "crews") {
      const crew = this.#crews.get(p.id ?? feature.id);
      lines.push(p.name, word("state", p.state));
      if (crew?.position_at) lines.push(`${t("Position")} ${relative(crew.position_at)}${crew.accuracy_m ? t(", ±%(m)s m", { m: Math.round(crew.accuracy_m) }) : ""} (${exact(crew.position_at)})`);
      if (crew?.hidden_at) lines.push(t("Position switched off"));
    } else if (feature.layer.id === "pipelines") lines.push([word("utility", p.utility), p.flow ? word("flow", p.flow) : "", p.diameter_mm ? `DN${Math.round(p.diameter_mm)}` : ""].filter(Boolean).join(" "));
    else if (feature.layer.id === "valves") lines.push(p.code, `${word("utility", p.utility)} ${word("valve_kind", p.kind)}`, p.is_open ? t("Open valve") : t("Closed valve"), p.reach === "unreachable" ? t("Valve out of reach") : "");
    else if (feature.layer.id === "supply-points" || feature.layer.id === "sources") lines.push(p.name, word("utility", p.utility), p.households ? t("%(n)s households", { n: p.households }) : "");
    else if (feature.layer.id === "blind-spots") lines.push(t("No camera sees this stretch"), p.road_name, [p.from_landmark, p.to_landmark].filter(Boolean).join(" → "));
    else lines.push(p.name || word("layer", feature.layer.id));
    return el("div", {}, ...lines.filter(Boolean).map((line, i) => el(i ? "div" : "strong", {}, line)));
  }

  #drawPicked() {
    const feature = (kind, geometry) => ({ type: "Feature", properties: { kind, sign: this.#sign ?? "" }, geometry });
    const at = (point) => [point.lon, point.lat];
    this.#picked = { type: "FeatureCollection", features: [
      ...(this.#here ? [feature("here", { type: "Point", coordinates: this.#here })] : []),
      ...(this.#crewLine ? [feature("preview", { type: "LineString", coordinates: this.#crewLine })] : []),
      ...(this.#trail?.length > 1 ? [feature("trail", { type: "LineString", coordinates: this.#trail.map(at) })] : []),
      ...(this.#trail ?? []).filter((point) => point.why !== "moving").map((point) => feature("deed", { type: "Point", coordinates: at(point) })),
    ] };
    this.map?.getSource("picked")?.setData(this.#picked);
  }

  #report(event) {
    const status = event.error?.status;
    if (status === 404 || status === 401) return; // a layer that is not there, or a session that ended: told elsewhere
    console.warn("map", event.error?.message);
  }

  #refuse(title, more) {
    fill(this.#root, el("div", { class: "map-notice", role: "status" }, el("strong", {}, title), el("span", {}, more)));
  }
}
