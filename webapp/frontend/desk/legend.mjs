// The legend is the layer switcher and the filter at once: what a sign means, whether it is shown, only those of a state.
import { el, fill } from "../common/dom.mjs";
import { CREWS, STATES, THINGS, svg } from "../common/shapes.mjs";
import { t, word } from "../common/words.mjs";
import { stateWords } from "./clock.mjs";

const CLOCK = ["green", "yellow", "orange", "red"];
const PIPES = [["heat", "supply", "supply"], ["heat", "return", "return"], ["water", null, "water"], ["gas", null, "gas"]];
const VALVES = [["valve", "Open valve"], ["valve_closed", "Closed valve"], ["valve_unreachable", "Valve out of reach"]];

/** Draws the legend into `root` and keeps it as the view is. */
export class Legend {
  #root; #view; #map; #body;

  constructor({ root, view, map }) {
    this.#root = root; this.#view = view; this.#map = map;
    const details = el("details", { class: "legend" }, el("summary", {}, t("Layers and legend")), (this.#body = el("div", { class: "legend-body" })));
    const kept = localStorage.getItem("desk-legend");
    details.open = kept ? kept === "open" && innerWidth > 760 : innerWidth > 1500 && innerHeight > 800;
    details.addEventListener("toggle", () => localStorage.setItem("desk-legend", details.open ? "open" : "closed"));
    fill(root, details);
    for (const part of ["layers", "filters"]) view.addEventListener(part, () => this.draw());
    this.draw();
  }

  draw() {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    fill(this.#body,
      this.#group("complaints", this.#states()),
      this.#group("crews", Object.entries(CREWS).map(([state, shape]) => this.#sign(svg(shape), word("state", state)))),
      this.#group("stations", [], svg(THINGS.station)),
      this.#group("pipelines", PIPES.map(([utility, flow, token]) => this.#sign(el("i", { class: "swatch", style: `background:var(--${token})` }),
        flow ? `${word("utility", utility)} ${word("flow", flow)}` : word("utility", utility)))),
      this.#group("valves", VALVES.map(([shape, form]) => this.#sign(svg(THINGS[shape]), t(form)))),
      this.#group("sources", [], svg(THINGS.source)),
      this.#group("supply_points", [], svg(THINGS.supply_point)),
      this.#group("cameras", [], svg(THINGS.camera)),
      this.#group("blind_spots", [], el("i", { class: "swatch hatched" })));
    if (focused) this.#body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #group(name, signs, own) {
    const on = this.#map.shown.includes(name);
    return el("div", { class: on ? "on" : "off" },
      el("label", { class: "legend-group" }, el("input", { type: "checkbox", checked: on, dataset: { key: name }, onchange: (event) => this.#map.show(name, event.target.checked) }),
        own ?? null, word("layer", name)),
      signs.length ? el("div", { class: "legend-signs" }, ...signs) : null);
  }

  #states() {
    const { time_state: chosen } = this.#view.filters;
    return CLOCK.map((state) => {
      const pressed = chosen.includes(state);
      return el("button", { type: "button", class: `sign ${pressed ? "pressed" : ""}`, "aria-pressed": String(pressed), dataset: { key: `state-${state}` },
        title: t("Show only these"),
        onclick: () => this.#view.change({ filters: { ...this.#view.filters, time_state: pressed ? chosen.filter((s) => s !== state) : [...chosen, state] } }) },
      svg(STATES[state]), stateWords(state));
    });
  }

  #sign(mark, words) {
    return el("span", { class: "sign" }, mark, words);
  }
}
