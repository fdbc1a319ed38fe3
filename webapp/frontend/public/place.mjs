// Where it is: by name, by one's own position, by a tap on the map. The map is only fetched when somebody asks for it.
import { ask } from "../common/dom.mjs";

export class PublicPlace {
  at = null;
  #map = null;
  #marker = null;
  #maplibre = null;
  #named = "";

  constructor(form, { changed, words }) {
    Object.assign(this, { form, changed, words });
    this.input = form.elements.place;
    this.said = form.querySelector("[data-where]");
    form.querySelector("[data-position]").addEventListener("click", ({ currentTarget }) => this.#own(currentTarget));
    form.querySelector("[data-open-map]").addEventListener("toggle", ({ target }) => target.open && this.#draw());
    form.querySelector("[data-forget]").addEventListener("click", () => this.set(null));
  }

  /** A place chosen from the list. */
  fromName(row) {
    this.input.value = this.#named = row.name;
    this.set({ lon: row.lon, lat: row.lat }, { describe: false });
    this.#map?.easeTo({ center: [row.lon, row.lat], zoom: 15, duration: 150 });
  }

  set(at, { describe = true } = {}) {
    this.at = at && { lon: Number(at.lon.toFixed(6)), lat: Number(at.lat.toFixed(6)) };
    this.form.elements.lon.value = this.at?.lon ?? "";
    this.form.elements.lat.value = this.at?.lat ?? "";
    this.form.querySelector("[data-forget]").hidden = !this.at;
    this.said.textContent = this.at ? this.words.marked : "";
    this.#mark();
    if (this.at && describe) this.#describe(this.at);
    this.changed();
  }

  #own(button) {
    if (!navigator.geolocation) return void (this.said.textContent = this.words.noPosition);
    button.setAttribute("aria-busy", "true");
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      button.removeAttribute("aria-busy");
      this.set({ lon: coords.longitude, lat: coords.latitude });
      this.#map?.easeTo({ center: [coords.longitude, coords.latitude], zoom: 15, duration: 150 });
    }, () => {
      button.removeAttribute("aria-busy");
      this.said.textContent = this.words.noPosition;
    }, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  }

  async #describe(at) {
    const told = await ask(`/public/places/at.json?lon=${at.lon}&lat=${at.lat}`).catch(() => null);
    if (!told || at !== this.at) return;
    const area = told.areas.at(-1)?.name ?? "";
    const name = told.near && told.near.metres < 60 ? told.near.name : area;
    this.said.textContent = name ? `${this.words.marked} ${name}` : this.words.marked;
    if (name && (!this.input.value.trim() || this.input.value === this.#named)) this.input.value = this.#named = name;
    this.changed();
  }

  #mark() {
    if (!this.#map) return;
    if (!this.at) return void this.#marker?.remove();
    if (!this.#marker) {
      const color = getComputedStyle(document.documentElement).getPropertyValue("--red");
      this.#marker = new this.#maplibre.Marker({ draggable: true, color });
      this.#marker.on("dragend", () => {
        const { lng, lat } = this.#marker.getLngLat();
        this.set({ lon: lng, lat });
      });
    }
    this.#marker.setLngLat([this.at.lon, this.at.lat]).addTo(this.#map);
  }

  async #draw() {
    if (this.#map) return;
    const box = this.form.querySelector("[data-map]");
    try {
      const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
      if (!canDraw()) throw new Error("no WebGL");
      box.replaceChildren();
      const extent = this.form.dataset.extent?.split(",").map(Number);
      this.#maplibre = maplibre;
      this.#map = makeMap(box, { ...(this.at ? { center: [this.at.lon, this.at.lat], zoom: 15 } : {}),
        ...(extent && !this.at ? { bounds: [[extent[0], extent[1]], [extent[2], extent[3]]], fitBoundsOptions: { padding: 8 } } : {}) });
      this.#map.on("click", ({ lngLat }) => this.set({ lon: lngLat.lng, lat: lngLat.lat }));
      this.#map.on("load", () => (this.form.dataset.mapReady = "1"));
      this.#mark();
    } catch {
      box.textContent = this.words.noMap;
    }
  }
}
