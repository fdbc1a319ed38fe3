// The map of one incident: its complaints as points, the lead larger, and the radius. The table beside it says the same.
import { t } from "../common/words.mjs";

const box = document.querySelector("[data-points]");
const points = JSON.parse(box.dataset.points);

const feature = (geometry, properties = {}) => ({ type: "Feature", properties, geometry });
const collection = (features) => ({ type: "FeatureCollection", features });

/** A ring of `radius` metres around the middle of the points. */
function ring(radius) {
  const lon = points.reduce((sum, p) => sum + p.lon, 0) / points.length;
  const lat = points.reduce((sum, p) => sum + p.lat, 0) / points.length;
  const high = radius / 111195, wide = high / Math.cos((lat * Math.PI) / 180);
  const corner = (k) => [lon + wide * Math.cos((k * Math.PI) / 32), lat + high * Math.sin((k * Math.PI) / 32)];
  return { type: "Polygon", coordinates: [Array.from({ length: 65 }, (_, k) => corner(k))] };
}

function over(c) {
  const at = collection(points.map((p) => feature({ type: "Point", coordinates: [p.lon, p.lat] }, { no: p.no, lead: p.lead, closed: p.closed })));
  return {
    sources: {
      "incident-ring": { type: "geojson", data: collection([feature(ring(Number(box.dataset.radius)))]) },
      "incident-points": { type: "geojson", data: at },
    },
    layers: [
      { id: "incident-fill", type: "fill", source: "incident-ring", paint: { "fill-color": c.orange, "fill-opacity": 0.08 } },
      { id: "incident-line", type: "line", source: "incident-ring", paint: { "line-color": c.orange, "line-width": 1.5, "line-dasharray": [3, 2] } },
      { id: "incident-points", type: "circle", source: "incident-points",
        paint: { "circle-radius": ["case", ["get", "lead"], 10 * c.k, 6 * c.k], "circle-color": ["case", ["get", "closed"], c.green, c.red],
          "circle-stroke-color": c.panel, "circle-stroke-width": ["case", ["get", "lead"], 3, 1.5] } },
    ],
  };
}

async function draw() {
  const { canDraw, makeMap, maplibre } = await import("../common/map.mjs");
  if (!canDraw()) throw new Error("no WebGL");
  box.replaceChildren();
  const around = [...points.map((p) => [p.lon, p.lat]), ...ring(Number(box.dataset.radius)).coordinates[0]];
  const lons = around.map(([lon]) => lon), lats = around.map(([, lat]) => lat);
  const map = makeMap(box, { over, tileUrl: box.dataset.tileUrl || undefined, bounds: [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]],
    fitBoundsOptions: { padding: 24, maxZoom: 17 } });
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
  map.on("mousemove", "incident-points", (event) => popup.setLngLat(event.lngLat).setText(event.features[0].properties.no).addTo(map));
  map.on("mouseleave", "incident-points", () => popup.remove());
  box.dataset.mapReady = "1";
}

const refuse = () => { box.firstElementChild.textContent = t("There is no map here; everything on it is in the table."); };
if (points.length) draw().catch(refuse);
else refuse();
