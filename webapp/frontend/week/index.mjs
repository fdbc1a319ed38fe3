// The heating week's board: filters apply themselves, the figures follow what happens, the map and the table are one selection.
// What is shown is always the server's own page: the parts marked `data-live` are fetched anew and put in place.
import { t } from "../common/words.mjs";
import { Live } from "../desk/live.mjs";
import { around, collection, mapIn, noMap, point } from "../sites/map.mjs";

const AFTER_MS = 1500; // several changes at once are one refresh
const EVERY_MS = 60_000; // days turn and problems are solved where no complaint changes

const form = document.querySelector("form[data-filters]");
form?.addEventListener("change", () => form.requestSubmit());
form?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "" || (name === "order" && value === "drawn_to_the_mean")) event.formData.delete(name);
});
document.querySelector("[data-print]")?.addEventListener("click", () => print());
if (document.querySelector(".wall")) {
  document.documentElement.classList.add("on-the-wall");
  addEventListener("keydown", (event) => { if (event.key === "Escape") document.querySelector(".wall header a.button").click(); });
}

// --- live ------------------------------------------------------------------------------------------------------------
const said = document.querySelector("[data-connection]");
let waiting = null;
let busy = false;

function soon(after = AFTER_MS) {
  waiting ??= setTimeout(refresh, after);
}

async function refresh() {
  waiting = null;
  if (busy) return soon();
  busy = true;
  try {
    const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!reply.ok || reply.redirected) throw new Error(String(reply.status));
    replace(new DOMParser().parseFromString(await reply.text(), "text/html"));
    document.body.dataset.refreshed = String(Number(document.body.dataset.refreshed ?? 0) + 1);
  } catch {
    said.textContent = t("The figures could not be fetched; they are tried again.");
  } finally {
    busy = false;
  }
}

function replace(fresh) {
  const held = document.activeElement?.closest?.("[data-station]")?.dataset.station;
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...document.importNode(now, true).childNodes);
  }
  if (held) document.querySelector(`[data-station="${held}"]`)?.focus({ preventScroll: true });
  redraw?.();
}

const live = new Live();
live.addEventListener("change", () => soon());
live.addEventListener("reload", () => soon());
live.addEventListener("connection", ({ detail }) => {
  said.textContent = { live: t("Follows by itself"), paused: "", signed_out: t("You are signed out; sign in again to see what happens.") }[detail.state] ?? t("not connected; the figures may be old");
  if (detail.back) soon(0);
});
live.start().catch(() => {});
setInterval(() => { if (!document.hidden) soon(0); }, EVERY_MS);

// --- map -------------------------------------------------------------------------------------------------------------
const box = document.querySelector("[data-map]");
const places = () => JSON.parse(document.getElementById("places").textContent);
const features = () => collection(places().map((place) => point(place.lon, place.lat, { ...place, label: place.rate === null ? "" : place.rate.toFixed(1) })));
const FONTS = ["Noto Sans CJK SC", "Noto Sans SC", "sans-serif"];
let redraw = null;

const over = (c) => ({
  sources: { stations: { type: "geojson", data: features(), promoteId: "id" }, lit: { type: "geojson", data: collection([]) } },
  layers: [
    { id: "stations", type: "circle", source: "stations", paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 6 * c.k, 15, 13 * c.k],
      "circle-color": ["match", ["get", "band"], "above", c.red, "below", c.green, "same", c.action, c.panel],
      "circle-stroke-color": ["match", ["get", "band"], "none", c.grey, c.panel], "circle-stroke-width": 2 } },
    { id: "rates", type: "symbol", source: "stations", layout: { "text-field": ["get", "label"], "text-font": FONTS, "text-size": 12 * c.k, "text-offset": [0, 1.2], "text-anchor": "top" },
      paint: { "text-color": c.text, "text-halo-color": c.panel, "text-halo-width": 1.6 } },
    { id: "lit", type: "circle", source: "lit", paint: { "circle-radius": 17 * c.k, "circle-opacity": 0, "circle-stroke-color": c.text, "circle-stroke-width": 3 } },
  ],
});

async function draw() {
  const known = places();
  if (!known.length) { box.hidden = true; return; }
  const { map, maplibre } = await mapIn(box, { over, bounds: around(known.map((place) => [place.lon, place.lat]), 0.01) });
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, offset: 14 });
  const light = (id) => {
    const found = places().find((place) => String(place.id) === String(id));
    map.getSource("lit")?.setData(collection(found ? [point(found.lon, found.lat)] : []));
    for (const row of document.querySelectorAll("[data-station]")) row.toggleAttribute("data-lit", row.dataset.station === String(id));
    return found;
  };
  redraw = () => map.getSource("stations")?.setData(features());
  map.on("mousemove", "stations", (event) => {
    const { name, label, calls } = event.features[0].properties;
    map.getCanvas().style.cursor = "pointer";
    popup.setLngLat(event.lngLat).setText(`${name} · ${label || t("no data")} · ${t("calls %(n)s", { n: calls })}`).addTo(map);
  });
  map.on("mouseleave", "stations", () => { map.getCanvas().style.cursor = ""; popup.remove(); });
  map.on("click", "stations", (event) => {
    light(event.features[0].properties.id);
    document.querySelector(`[data-station="${event.features[0].properties.id}"]`)?.focus();
  });
  const table = document.getElementById("stations");
  for (const kind of ["mouseover", "focusin"]) table.addEventListener(kind, (event) => { const row = event.target.closest("[data-station]"); if (row) light(row.dataset.station); });
}

if (box) draw().catch(() => noMap(box));
