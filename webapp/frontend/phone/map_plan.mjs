// Which squares of the map a day needs. Pure: places in, names of squares (`z/x/y`) out, the coarse ones first.
const FROM = 8;
const DISTRICT_TO = 13;
export const FINEST = 15;
const DISTRICT_MOST = 400; // squares of one zoom over the whole district; a finer zoom than that only where work is
const AROUND_M = 900;
export const MOST = 1500;

const column = (lon, z) => Math.floor(((lon + 180) / 360) * 2 ** z);
const line = (lat, z) => {
  const phi = (lat * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * 2 ** z);
};

/** The squares of one zoom that a box (west, south, east, north) touches. */
export function within([west, south, east, north], z) {
  const found = [];
  for (let x = column(west, z); x <= column(east, z); x += 1) {
    for (let y = line(north, z); y <= line(south, z); y += 1) found.push(`${z}/${x}/${y}`);
  }
  return found;
}

function around({ lon, lat }, metres) {
  const [dy, dx] = [metres / 110_574, metres / (111_320 * Math.cos((lat * Math.PI) / 180))];
  return [lon - dx, lat - dy, lon + dx, lat + dy];
}

/** Points on the way from stop to stop, close enough that no square of the finest zoom between them is missed. */
export function along(stops, step = 400) {
  const found = [];
  for (let i = 0; i + 1 < stops.length; i += 1) {
    const [a, b] = [stops[i], stops[i + 1]];
    const metres = Math.hypot((b.lon - a.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180), (b.lat - a.lat) * 110_574);
    const parts = Math.min(200, Math.ceil(metres / step));
    for (let k = 1; k < parts; k += 1) found.push({ lon: a.lon + ((b.lon - a.lon) * k) / parts, lat: a.lat + ((b.lat - a.lat) * k) / parts });
  }
  return found;
}

function box(stops) {
  const [lons, lats] = [stops.map((s) => s.lon), stops.map((s) => s.lat)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** The day's squares: the district from afar, the way between the stops, and closely around each stop. */
export function squares(bounds, stops) {
  const whole = bounds ?? (stops.length ? box(stops) : null);
  if (!whole) return [];
  const found = new Set();
  const add = (names) => names.forEach((name) => found.add(name));
  const way = along(stops);
  for (let z = FROM; z <= FINEST; z += 1) {
    const all = within(whole, z);
    if (z <= DISTRICT_TO && all.length <= DISTRICT_MOST) add(all);
    for (const stop of stops) add(within(around(stop, AROUND_M), z));
    for (const spot of way) add(within(around(spot, 150), z));
  }
  return [...found].slice(0, MOST);
}
