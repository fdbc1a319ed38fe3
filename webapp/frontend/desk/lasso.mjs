// A line drawn around complaints on the map chooses them. The list's boxes do the same by keyboard.
import { t } from "../common/words.mjs";
import { say } from "./toast.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** Is the point inside the closed line? Even-odd rule, on the screen's pixels. */
export function inside([x, y], line) {
  let odd = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [xi, yi] = line[i], [xj, yj] = line[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

/** The button of the map that draws a lasso; `chosen(ids)` gets the complaints inside. */
export function lasso({ button, root, map, chosen }) {
  let sheet = null;
  const stop = () => { sheet?.remove(); sheet = null; button.setAttribute("aria-pressed", "false"); };
  const start = () => {
    sheet = document.createElementNS(SVG, "svg");
    sheet.classList.add("lasso");
    const path = document.createElementNS(SVG, "path");
    sheet.append(path);
    root.append(sheet);
    button.setAttribute("aria-pressed", "true");
    let line = [];
    sheet.addEventListener("pointerdown", (event) => {
      sheet.setPointerCapture(event.pointerId);
      const box = root.getBoundingClientRect();
      const add = (e) => { line.push([e.clientX - box.left, e.clientY - box.top]); path.setAttribute("d", `M${line.map((p) => p.join(" ")).join("L")}Z`); };
      line = [];
      add(event);
      sheet.addEventListener("pointermove", add);
      sheet.addEventListener("pointerup", () => { const drawn = line; stop(); take(drawn); }, { once: true });
    });
  };
  const take = (line) => {
    if (line.length < 3) return;
    const { points, cells } = map.complaintsShown();
    const ids = points.filter((p) => inside(p.at, line)).map((p) => p.id);
    if (cells.some((at) => inside(at, line))) say(t("Some are drawn together there: look closer to choose them one by one."), "error");
    if (ids.length) chosen([...new Set(ids)]);
    else say(t("No complaint lies inside the line."));
  };
  button.addEventListener("click", () => (sheet ? stop() : start()));
  addEventListener("keydown", (event) => { if (event.key === "Escape" && sheet) { event.preventDefault(); event.stopPropagation(); stop(); } }, true);
}
