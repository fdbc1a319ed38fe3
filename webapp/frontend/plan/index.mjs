// The day's plan: the search watched, crews ticked together with those they hand orders over to, lists opened, the map.
import { t, word } from "../common/words.mjs";

const all = (selector) => [...document.querySelectorAll(selector)];

// --- the search --------------------------------------------------------------------------------------------------------
const watched = document.querySelector("[data-watch]");

async function look() {
  const reply = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" } }).catch(() => null);
  if (reply?.ok) {
    const { status, progress } = await reply.json();
    if (status !== "waiting" && status !== "solving") return void location.reload();
    watched.querySelector("progress").value = progress;
    watched.querySelector("[data-told]").textContent = `${word("plan_state", status)} · ${Math.round(progress * 100)} %`;
  }
  setTimeout(look, 1000);
}
if (watched) look();

// --- ticking -----------------------------------------------------------------------------------------------------------
const boxes = new Map(all('input[name="crew"][form="accept"]').map((box) => [box.value, box]));
const button = document.querySelector("[data-accept]");
const told = document.querySelector("[data-together-told]");
const whole = document.querySelector("[data-tick-all]");

const takers = (id) => (boxes.get(id)?.dataset.together ?? "").split(" ").filter((other) => boxes.has(other));

/** Everybody who must be ticked with this crew: those who take orders over from it, and from them. */
function closure(id, seen = new Set()) {
  if (seen.has(id)) return seen;
  seen.add(id);
  for (const other of takers(id)) closure(other, seen);
  return seen;
}

function count() {
  const ticked = [...boxes.values()].filter((box) => box.checked);
  button.disabled = ticked.length === 0;
  button.querySelector("b").textContent = ticked.length ? `(${ticked.length})` : "";
  whole.checked = ticked.length > 0 && ticked.length === boxes.size;
  whole.indeterminate = ticked.length > 0 && ticked.length < boxes.size;
}

function tick(box) {
  const also = [];
  if (box.checked) {
    for (const other of closure(box.value)) {
      if (!boxes.get(other).checked) also.push(boxes.get(other));
      boxes.get(other).checked = true;
    }
  } else {
    for (const [id, other] of boxes) {
      if (other.checked && closure(id).has(box.value)) {
        other.checked = false;
        also.push(other);
      }
    }
  }
  const names = also.map((other) => other.closest("tbody").querySelector("[data-open]").textContent);
  told.textContent = names.length ? t("Together, as orders are handed over: %(crews)s", { crews: names.join(", ") }) : "";
  count();
}

if (button) {
  for (const box of boxes.values()) box.addEventListener("change", () => tick(box));
  whole.addEventListener("change", () => {
    for (const box of boxes.values()) box.checked = whole.checked;
    told.textContent = "";
    count();
  });
  count();
}

// --- lists and map -------------------------------------------------------------------------------------------------------
let show = () => {};
for (const opener of all("[data-open]")) {
  opener.addEventListener("click", () => {
    const list = document.getElementById(opener.getAttribute("aria-controls"));
    list.hidden = !list.hidden;
    opener.setAttribute("aria-expanded", String(!list.hidden));
    show(list.hidden ? null : Number(opener.closest("tbody").dataset.crew));
  });
}

const box = document.querySelector(".plan-map");
const drawn = document.getElementById("plan-drawn");

const feature = (geometry, properties) => ({ type: "Feature", properties, geometry });
const collection = (features) => ({ type: "FeatureCollection", features });

function over(c) {
  const { lines, points } = JSON.parse(drawn.textContent);
  const of = (key) => collection(lines.filter((l) => l[key].length > 1).map((l) => feature({ type: "LineString", coordinates: l[key] }, { crew: l.crew, name: l.name })));
  const at = collection(points.map((p) => feature({ type: "Point", coordinates: [p.lon, p.lat] }, { ...p, crew: p.crew ?? 0, n: p.crew ? String(p.n) : "" })));
  const line = (id, colour, width, extra = {}) => ({ id, type: "line", source: id, layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": width, "line-opacity": 0.85, ...extra } });
  return {
    sources: { "plan-old": { type: "geojson", data: of("old") }, "plan-new": { type: "geojson", data: of("new") }, "plan-stops": { type: "geojson", data: at } },
    layers: [
      line("plan-old", c.grey, 5 * c.k, { "line-opacity": 0.45 }),
      line("plan-new", c.action, 2.4 * c.k),
      { id: "plan-stops", type: "circle", source: "plan-stops", paint: {
        "circle-radius": ["case", ["==", ["get", "kind"], "unserved"], 6 * c.k, 8 * c.k],
        "circle-color": ["case", ["==", ["get", "kind"], "unserved"], c.red, ["==", ["get", "kind"], "locked"], c.grey, c.panel],
        "circle-stroke-color": ["case", ["==", ["get", "kind"], "unserved"], c.panel, c.action], "circle-stroke-width": 2 } },
      { id: "plan-numbers", type: "symbol", source: "plan-stops", layout: { "text-field": ["get", "n"], "text-size": 10 * c.k, "text-font": ["Noto Sans CJK SC", "sans-serif"], "text-allow-overlap": true },
        paint: { "text-color": ["case", ["==", ["get", "kind"], "locked"], c.panel, c.text] } },
    ],
  };
}

async function draw() {
  const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  const { lines, points } = JSON.parse(drawn.textContent);
  const places = (crew) => [...lines.filter((l) => !crew || l.crew === crew).flatMap((l) => [...l.new, ...l.old]),
    ...points.filter((p) => !crew || p.crew === crew).map((p) => [p.lon, p.lat])];
  const around = (crew) => {
    const found = places(crew), lon = found.map(([x]) => x), lat = found.map(([, y]) => y);
    return found.length ? [[Math.min(...lon), Math.min(...lat)], [Math.max(...lon), Math.max(...lat)]] : null;
  };
  box.replaceChildren();
  const bounds = around(null);
  const map = makeMap(box, { over, tileUrl: box.dataset.tileUrl || undefined, ...(bounds ? { bounds, fitBoundsOptions: { padding: 32, maxZoom: 16 } } : {}) });
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
  const names = Object.fromEntries(lines.map((l) => [l.crew, l.name]));
  map.on("mousemove", "plan-stops", (event) => {
    const { no, crew, kind } = event.features[0].properties;
    popup.setLngLat(event.lngLat).setText(`${no} · ${names[crew] ?? ""} ${word("plan_stop", kind)}`).addTo(map);
  });
  map.on("mouseleave", "plan-stops", () => popup.remove());
  const everybody = document.querySelector("[data-all]");
  show = (crew) => {
    for (const id of ["plan-old", "plan-new", "plan-stops", "plan-numbers"]) map.setFilter(id, crew ? ["==", ["get", "crew"], crew] : null);
    const to = around(crew);
    if (to) map.fitBounds(to, { padding: 32, maxZoom: 16, duration: 0 });
    everybody.hidden = !crew;
  };
  everybody.addEventListener("click", () => show(null));
  map.once("idle", () => { box.dataset.mapReady = "1"; });
}

if (box) draw().catch(() => { box.replaceChildren(Object.assign(document.createElement("p"), { textContent: t("There is no map here; everything on it is in the table.") })); });
