// A signature: drawn with a finger on a sheet, given back as a picture. White ground, so that it can be printed.
import { el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { button, sheet } from "./parts.mjs";

const [WIDTH, HEIGHT] = [900, 400];

/** Ask for a signature; resolves with a PNG file, or `null` when the person turns away. */
export function signature(title) {
  return sheet(title, (close) => {
    const canvas = el("canvas", { width: WIDTH, height: HEIGHT, class: "pad", role: "img", "aria-label": t("Sign here with a finger") });
    const pen = canvas.getContext("2d");
    let strokes = 0;
    const done = button(t("Take this signature"), () => canvas.toBlob((blob) => close(new File([blob], "signature.png", { type: "image/png" })), "image/png"), { kind: "primary", disabled: true });
    const wipe = () => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, WIDTH, HEIGHT);
      Object.assign(pen, { strokeStyle: "#111", lineWidth: 6, lineCap: "round", lineJoin: "round" });
      strokes = 0;
      done.disabled = true;
    };
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * (WIDTH / box.width), (event.clientY - box.top) * (HEIGHT / box.height)];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...spot(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      pen.lineTo(...spot(event));
      pen.stroke();
      strokes += 1;
      done.disabled = strokes < 3;
    });
    wipe();
    return [canvas, el("div", { class: "stack" }, done, button(t("Wipe it"), wipe), button(t("Back"), () => close(null), { kind: "quiet" }))];
  });
}
