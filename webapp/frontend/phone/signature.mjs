// A signature: drawn with a finger on a sheet, given back as a picture. White ground and dark ink, whatever the theme, so that
// it can be printed; wide and low, so that it stands upright however the phone is held.
import { el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { wellFormed } from "./canonical.mjs";
import { button, sheet } from "./parts.mjs";

const [WIDTH, HEIGHT] = [900, 400];
const INK = { strokeStyle: "#111", fillStyle: "#111", lineWidth: 6, lineCap: "round", lineJoin: "round" };
const LEAST = 3; // a tap is not a signature

/**
 * Ask for a signature; resolves with a PNG file, or `null` when the person turns away. With `named` the person may also write
 * their name; it is part of the file's name, which is how the desk shows it.
 */
export function signature(title, { named = false, words = null } = {}) {
  return sheet(title, (close) => {
    const canvas = el("canvas", { width: WIDTH, height: HEIGHT, class: "pad", role: "img", "aria-label": t("Sign here with a finger") });
    const pad = new Pad(canvas, () => show());
    const name = el("input", { id: "signed-by", type: "text", maxlength: 40, autocomplete: "off" });
    const done = button(t("Take this signature"), () => canvas.toBlob((blob) => close(made(blob, name.value)), "image/png"), { kind: "primary" });
    const back = button(t("Undo the last line"), () => pad.undo());
    const again = button(t("Draw the line again"), () => pad.redo());
    const wipe = button(t("Wipe it"), () => pad.clear());
    const show = () => {
      done.disabled = pad.points < LEAST;
      back.disabled = wipe.disabled = !pad.lines.length;
      again.disabled = !pad.undone.length;
    };
    pad.draw();
    show();
    return [words ? el("p", {}, words) : null, canvas, el("div", { class: "row pens" }, back, again, wipe),
      named ? [el("label", { for: "signed-by" }, t("Name (may stay empty)")), name] : null,
      el("div", { class: "stack" }, done, button(t("Back"), () => close(null), { kind: "quiet" }))];
  });
}

function made(blob, raw) {
  const name = wellFormed(raw).trim();
  const file = new File([blob], `${t("Signature")}${name ? `-${name}` : ""}.png`, { type: "image/png" });
  return Object.assign(file, { signed: true }); // it is kept as it is, without a stamp
}

/** The lines drawn so far; every picture is drawn from them, so that a line can be taken back. */
class Pad {
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, pen: canvas.getContext("2d"), lines: [], undone: [] });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.lines.push([this.spot(event)]);
      this.undone = [];
      this.draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId) || !this.lines.length) return;
      this.lines.at(-1).push(this.spot(event));
      this.draw();
    });
  }

  get points() {
    return this.lines.reduce((sum, line) => sum + line.length, 0);
  }

  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * (WIDTH / box.width), (event.clientY - box.top) * (HEIGHT / box.height)];
  }

  undo() {
    if (this.lines.length) this.undone.push(this.lines.pop());
    this.draw();
  }

  redo() {
    if (this.undone.length) this.lines.push(this.undone.pop());
    this.draw();
  }

  clear() {
    this.undone.push(...this.lines.splice(0).reverse());
    this.draw();
  }

  draw() {
    const { pen } = this;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    Object.assign(pen, INK);
    for (const [first, ...rest] of this.lines) {
      pen.beginPath();
      pen.moveTo(...first);
      for (const spot of rest.length ? rest : [first]) pen.lineTo(...spot);
      pen.stroke();
    }
    this.changed();
  }
}
