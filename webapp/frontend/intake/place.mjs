// Where it is: one point, told by a name, by a click on the map or by coordinates of a declared system.
import { ask } from "../common/dom.mjs";
import { t } from "../common/words.mjs";

const PINGDU = [119.96, 36.78];

/** The place of the form. `at` is `{lon, lat}` in WGS-84, or null; `changed` is called whenever it becomes another. */
export class Place {
  at = null;
  #form;
  #changed;
  #map = null;
  #marker = null;
  #maplibre = null;
  #asked = 0;
  #named = "";

  constructor(form, { changed }) {
    this.#form = form;
    this.#changed = changed;
    for (const name of ["lon", "lat", "datum"]) this.#field(name).addEventListener("change", () => this.#edited());
    this.#field("sure").addEventListener("change", () => this.#typed());
    this.#field("lon").addEventListener("paste", (event) => this.#paste(event));
    this.#find("[data-clear]").addEventListener("click", () => this.clear());
    this.#find("[data-use-datum]").addEventListener("click", ({ currentTarget }) => {
      this.#field("datum").value = currentTarget.dataset.useDatum;
      this.#edited();
    });
    this.#draw().then(() => this.#typed(), () => this.#noMap());
  }

  #find(selector) {
    return this.#form.querySelector(selector);
  }

  #field(name) {
    return this.#form.elements[name];
  }

  /** A place chosen from the list. */
  fromName(row) {
    this.#field("place").value = row.source === "typed" ? "" : row.name;
    this.#named = "";
    this.#ours(row.lon, row.lat);
    this.#map?.easeTo({ center: [row.lon, row.lat], zoom: Math.max(this.#map.getZoom(), 15), duration: 150 });
  }

  clear() {
    for (const name of ["lon", "lat"]) this.#field(name).value = "";
    this.#typed();
    this.#field("lon").focus();
  }

  /** A point of our own map or gazetteer: WGS-84, and certainly meant. */
  #ours(lon, lat) {
    this.#field("datum").value = "wgs84";
    this.#field("lon").value = lon.toFixed(6);
    this.#field("lat").value = lat.toFixed(6);
    this.#field("sure").checked = true;
    this.#set({ lon: Number(lon.toFixed(6)), lat: Number(lat.toFixed(6)) });
    this.#say("");
  }

  #paste(event) {
    const pair = /^\s*(-?\d+(?:\.\d+)?)\s*[,,\s]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(event.clipboardData.getData("text"));
    if (!pair) return;
    event.preventDefault();
    this.#field("lon").value = pair[1];
    this.#field("lat").value = pair[2];
    this.#edited();
  }

  /** Somebody changed them by hand: what was certain before is not any more. */
  #edited() {
    this.#field("sure").checked = false;
    return this.#typed();
  }

  /** Coordinates were typed: convert and check them as the server will. */
  async #typed() {
    const [lon, lat, datum] = ["lon", "lat", "datum"].map((name) => this.#field(name).value.trim());
    const turn = ++this.#asked;
    if (!lon || !lat) {
      this.#say("");
      return this.#set(null);
    }
    if (![lon, lat].every((text) => text !== "" && Number.isFinite(Number(text)))) {
      this.#say(t("This is not a number: %(text)s", { text: Number.isFinite(Number(lon)) ? lat : lon }));
      return this.#set(null);
    }
    try {
      const there = await ask("/places/convert.json",
        { method: "POST", body: { lon: Number(lon), lat: Number(lat), datum, sure: this.#field("sure").checked } });
      if (turn !== this.#asked) return;
      this.#say("");
      this.#set(there);
      this.#map?.easeTo({ center: [there.lon, there.lat], zoom: Math.max(this.#map.getZoom(), 14), duration: 150 });
    } catch (problem) {
      if (turn !== this.#asked) return;
      this.#say(problem.message, problem.code === "wrong_datum" ? problem.datum : null);
      this.#set(null);
    }
  }

  #say(text, looksLike = null) {
    const error = this.#find("[data-position-error]");
    error.textContent = text;
    error.hidden = !text;
    for (const name of ["lon", "lat"]) {
      if (text) this.#field(name).setAttribute("aria-invalid", "true");
      else this.#field(name).removeAttribute("aria-invalid");
    }
    this.#find("[data-datum-help]").hidden = !looksLike;
    if (!looksLike) return;
    const use = this.#find("[data-use-datum]");
    use.dataset.useDatum = looksLike;
    use.textContent = t("Use %(datum)s", { datum: this.#find(`#datum option[value="${looksLike}"]`).textContent });
  }

  #set(at) {
    const same = at?.lon === this.at?.lon && at?.lat === this.at?.lat;
    this.at = at;
    const datum = this.#field("datum").value;
    const converted = this.#find("[data-converted]");
    converted.hidden = !at || datum === "wgs84";
    if (at) converted.textContent = t("In WGS-84: %(lon)s, %(lat)s", { lon: at.lon.toFixed(6), lat: at.lat.toFixed(6) });
    this.#mark();
    if (same) return;
    this.#changed();
    this.#describe(at);
  }

  #mark() {
    if (!this.#map) return;
    if (!this.at) return this.#marker?.remove();
    if (!this.#marker) {
      const color = getComputedStyle(document.documentElement).getPropertyValue("--red");
      this.#marker = new this.#maplibre.Marker({ draggable: true, color });
      this.#marker.on("dragend", () => this.#clicked(this.#marker.getLngLat()));
    }
    this.#marker.setLngLat([this.at.lon, this.at.lat]).addTo(this.#map);
  }

  #clicked({ lng, lat }) {
    this.#asked += 1;
    this.#ours(lng, lat);
  }

  /** Say what the point is called; an empty place takes the name that was found. */
  async #describe(at) {
    const where = this.#find("[data-where]");
    if (!at) {
      where.textContent = this.#map ? t("Click on the map to mark the place.") : "";
      return;
    }
    const told = await ask(`/places/at.json?lon=${at.lon}&lat=${at.lat}`).catch(() => null);
    if (!told || at !== this.at) return;
    const areas = told.areas.map((area) => area.name);
    const near = told.near ? t("%(metres)s m from %(name)s", told.near) : null;
    where.textContent = [areas.join(" · ") || t("Outside every district that is drawn."), near].filter(Boolean).join(" — ");
    const input = this.#field("place");
    const name = told.near && told.near.metres < 60 ? told.near.name : areas.at(-1) ?? "";
    if (name && (!input.value.trim() || input.value === this.#named)) input.value = this.#named = name;
  }

  async #draw() {
    const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
    if (!canDraw()) throw new Error("no WebGL");
    const box = this.#find("[data-map]");
    box.replaceChildren();
    const extent = this.#form.dataset.extent?.split(",").map(Number);
    this.#maplibre = maplibre;
    this.#map = makeMap(box, { center: PINGDU, zoom: 11, tileUrl: this.#form.dataset.tileUrl || undefined,
      ...(extent ? { bounds: [[extent[0], extent[1]], [extent[2], extent[3]]], fitBoundsOptions: { padding: 16 } } : {}) });
    this.#map.on("click", (event) => this.#clicked(event.lngLat));
    this.#form.dataset.mapReady = "1";
  }

  #noMap() {
    const notice = document.createElement("p");
    notice.className = "map-notice";
    notice.textContent = t("This browser cannot draw the map. Search for the place by its name, or type its coordinates.");
    this.#find("[data-map]").replaceChildren(notice);
    this.#find("[data-where]").textContent = "";
    this.#typed();
  }
}
