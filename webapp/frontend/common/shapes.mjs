// One drawing per meaning, for the map and for the page: colour never stands alone. Paths live in a 24 × 24 square.

/** State of time -> outline. Green a disc, yellow a diamond, orange a triangle, red a square with a bar, paused two bars, done a tick. */
export const STATES = {
  green: { path: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18Z", token: "green" },
  yellow: { path: "M12 1.5L22.5 12L12 22.5L1.5 12Z", token: "yellow" },
  orange: { path: "M12 2L23 21.5H1Z", token: "orange" },
  red: { path: "M3 3H21V21H3Z", token: "red", mark: "M12 6.5V13.5M12 16.2V17.8" },
  paused: { path: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18Z", token: "grey", mark: "M9.5 8V16M14.5 8V16" },
  done: { path: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18Z", token: "grey", mark: "M7.5 12.2L10.8 15.5L16.5 8.8" },
};

/** State of a crew -> outline. A known heading adds a nose to the north, and the map turns it. */
export const CREWS = {
  free: { path: "M12 5.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13Z", token: "action" },
  busy: { path: "M6 6H18V18H6Z", token: "action" },
  silent: { path: "M12 5.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13Z", token: "red", hollow: true, mark: "M9.6 9.6L14.4 14.4M14.4 9.6L9.6 14.4" },
  stale: { path: "M12 5.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13Z", token: "grey", hollow: true },
  off_shift: { path: "M6.5 12a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z", token: "grey", hollow: true, mark: "M8.5 12H15.5" },
};
const NOSE = "M12 0.5L16 6.2A7 7 0 0 0 8 6.2Z";

/** Other things on the map. */
export const THINGS = {
  station: { path: "M3.5 10.5L12 3.5L20.5 10.5V20.5H3.5Z", token: "supply", hollow: true, mark: "M9.2 17C9.2 15 11 15 11 12.8M13.4 17C13.4 15 15.2 15 15.2 12.8" },
  valve: { path: "M3 6L12 12L3 18ZM21 6L12 12L21 18Z", token: "soft" },
  valve_closed: { path: "M3 6L12 12L3 18ZM21 6L12 12L21 18Z", token: "red" },
  valve_unreachable: { path: "M3 6L12 12L3 18ZM21 6L12 12L21 18Z", token: "orange", hollow: true },
  source: { path: "M12 2.5L21.5 21H2.5Z", token: "green" },
  supply_point: { path: "M7 7H17V17H7Z", token: "soft" },
  camera: { path: "M5 8H14V11L20 7.5V16.5L14 13V16H5Z", token: "camera" },
  camera_view: { path: "M12 12L4.5 0.5H19.5Z", token: "camera", soft: true },
  camera_off: { path: "M5 8H14V11L20 7.5V16.5L14 13V16H5Z", token: "camera", hollow: true },
};

/** The shape as an SVG element for the page; `label` makes it speak, without one it is decoration. */
export function svg(shape, { size = 16, label } = {}) {
  const make = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const colour = `var(--${shape.token})`;
  const root = make("svg", { viewBox: "0 0 24 24", width: size, height: size, class: "shape" });
  if (label) { root.setAttribute("role", "img"); root.setAttribute("aria-label", label); }
  else root.setAttribute("aria-hidden", "true");
  root.append(make("path", {
    d: shape.path, fill: shape.hollow ? "none" : colour, stroke: colour, "stroke-width": shape.hollow ? 2.5 : 1,
    "stroke-linejoin": "round",
  }));
  if (shape.mark) {
    root.append(make("path", {
      d: shape.mark, fill: "none", stroke: shape.hollow ? colour : "var(--panel)", "stroke-width": 2.4, "stroke-linecap": "round",
    }));
  }
  return root;
}

/** The shape as an image for MapLibre: `{width, height, data}` at `ratio` device pixels, with a rim in the panel's colour. */
export function image(shape, colours, { size = 24, ratio = 2, nose = false } = {}) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * ratio;
  const pen = canvas.getContext("2d");
  pen.scale((size * ratio) / 24, (size * ratio) / 24);
  const colour = colours[shape.token];
  const outline = new Path2D(shape.path);
  pen.lineJoin = "round";
  if (nose) outline.addPath(new Path2D(NOSE));
  if (shape.soft) {
    pen.globalAlpha = 0.35;
    pen.fillStyle = colour;
    pen.fill(outline);
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  }
  pen.strokeStyle = colours.panel;
  pen.lineWidth = shape.hollow ? 5 : 3;
  pen.stroke(outline);
  pen.fillStyle = shape.hollow ? colours.panel : colour;
  pen.fill(outline);
  if (shape.hollow) { pen.strokeStyle = colour; pen.lineWidth = 2.2; pen.stroke(outline); }
  if (shape.mark) {
    pen.strokeStyle = shape.hollow ? colour : colours.panel;
    pen.lineWidth = 2.4;
    pen.lineCap = "round";
    pen.stroke(new Path2D(shape.mark));
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** A hatched stripe for lines that no camera sees. */
export function hatch(colours, ratio = 2) {
  const side = 8 * ratio;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colours.blindspot;
  pen.lineWidth = 2.6 * ratio;
  for (const shift of [-side, 0, side]) {
    pen.beginPath();
    pen.moveTo(shift, side);
    pen.lineTo(shift + side, 0);
    pen.stroke();
  }
  return pen.getImageData(0, 0, side, side);
}
