// The other two lists of the left pane: crews, and the network's things. They are the map for whoever has no map.
import { ask, el, fill } from "../common/dom.mjs";
import { CREWS, svg } from "../common/shapes.mjs";
import { t, word } from "../common/words.mjs";
import { told } from "./told.mjs";
import { positionWords } from "./track.mjs";
import { isSelected } from "./view.mjs";

const ORDER = ["silent", "free", "busy", "stale", "off_shift"];

/** A row of one of these lists: a link that selects the thing. */
function row(view, kind, thing, open, ...inside) {
  return el("li", {}, el("a", {
    class: "thing", href: view.href({ selected: { kind, id: thing.id }, pane: "detail" }),
    "aria-current": isSelected(view, kind, thing.id) ? "true" : null,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(kind, thing);
    },
  }, ...inside));
}

/** A loading, empty or failed list says so. */
function sentence(text, more) {
  return el("li", { class: "empty" }, text, more ? el("p", {}, more) : null);
}

/** The crews of the scope: free ones first. */
export function drawCrews(root, crews, view, open) {
  if (crews.state === "loading") return fill(root, sentence(t("Loading…")));
  if (crews.state === "error") {
    return fill(root, sentence(told(crews.problem), el("button", { type: "button", onclick: () => crews.load() }, t("Try again"))));
  }
  if (!crews.rows.length) return fill(root, sentence(t("There is no crew here yet.")));
  const rows = [...crews.rows].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name, "zh"));
  return fill(root, ...rows.map((crew) => row(view, "crew", crew, open,
    el("span", { class: "thing-top" }, svg(CREWS[crew.state] ?? CREWS.stale, { size: 18 }), el("strong", {}, crew.name),
      el("span", { class: crew.state === "silent" ? "chip red" : "chip" }, word("state", crew.state))),
    el("span", { class: "case-foot" }, el("span", {}, word("kind", crew.kind)), crew.unit ? el("span", {}, unitName(crew.unit)) : null,
      crew.position_at ? el("span", {}, t("Position"), " ", ...positionWords(crew)) : null,
      crew.load ? el("span", {}, t("%(n)s orders", { n: crew.load })) : null))));
}

/** A unit may arrive as its name or as `{id, name}`. */
export const unitName = (unit) => (typeof unit === "object" ? unit?.name : unit) ?? "";

/** The layers that have a list, with the kind under which one of them is selected. */
export const LAYERS = { stations: "station", pipelines: "pipeline", valves: "valve", sources: "source", supply_points: "supply_point", cameras: "camera", blind_spots: "blind_spot" };
export const layerOf = (kind) => Object.keys(LAYERS).find((layer) => LAYERS[layer] === kind);

/** One line under a thing's name. */
export function thingWords(kind, thing) {
  if (kind === "station") return [word("operator", thing.state), t("%(n)s households", { n: thing.households })];
  if (kind === "pipeline") return [word("utility", thing.state), word("network", thing.level), thing.flow ? word("flow", thing.flow) : null,
    thing.diameter_mm ? `DN${Math.round(thing.diameter_mm)}` : null, t("%(n)s m", { n: thing.metres })].filter(Boolean);
  if (kind === "valve") return [word("utility", thing.state), word("valve_kind", thing.kind), thing.is_open ? t("Open valve") : t("Closed valve"),
    thing.reach === "unreachable" ? [t("Valve out of reach"), thing.reach_note].filter(Boolean).join(t(": ")) : null].filter(Boolean);
  if (kind === "source") return [word("utility", thing.state), thing.code];
  if (kind === "supply_point") return [word("utility", thing.state), thing.households ? t("%(n)s households", { n: thing.households }) : null].filter(Boolean);
  if (kind === "camera") return [word("camera_state", thing.state), thing.is_ptz ? t("Turns") : null, thing.range_m ? t("sees %(n)s m", { n: Math.round(thing.range_m) }) : null].filter(Boolean);
  return [word("spot_state", thing.state), [thing.from_landmark, thing.to_landmark].filter(Boolean).join(" → "), t("%(n)s m", { n: thing.metres })].filter(Boolean);
}

/** Stations, pipelines, cameras and blind spots: choose a layer, search it, page through it. */
export class ThingList {
  #root; #view; #open; #layer = "stations"; #q = ""; #rows = []; #next = null; #total = 0; #list; #turn = 0;

  constructor({ root, view, open }) {
    this.#root = root; this.#view = view; this.#open = open;
    view.addEventListener("selected", () => this.#list?.isConnected && this.#draw());
  }

  show() {
    this.#list = el("ul", { class: "cases", "aria-label": t("Things on the map") });
    const choice = el("select", { "aria-label": t("Layer"), onchange: (event) => { this.#layer = event.target.value; this.#load(); } },
      ...Object.keys(LAYERS).map((layer) => el("option", { value: layer, selected: layer === this.#layer }, word("layer", layer))));
    const search = el("input", { type: "search", value: this.#q, placeholder: t("Name or number"), "aria-label": t("Name or number"),
      oninput: (event) => { this.#q = event.target.value.trim(); this.#load(); } });
    fill(this.#root, el("div", { class: "row things-head" }, choice, search), this.#list);
    this.#load();
  }

  async #load(start = 0) {
    const turn = ++this.#turn;
    if (!start) { this.#rows = []; fill(this.#list, sentence(t("Loading…"))); }
    try {
      const found = await ask(`/layers/${this.#layer}.json?${new URLSearchParams({ q: this.#q, start })}`);
      if (turn !== this.#turn) return;
      this.#rows.push(...found.rows);
      this.#next = found.next;
      this.#total = found.total;
      this.#draw();
    } catch (problem) {
      if (turn === this.#turn) fill(this.#list, sentence(told(problem), el("button", { type: "button", onclick: () => this.#load() }, t("Try again"))));
    }
  }

  #draw() {
    const kind = LAYERS[this.#layer];
    if (!this.#rows.length) return fill(this.#list, sentence(this.#q ? t("Nothing has this name.") : t("Nothing has been entered here yet.")));
    return fill(this.#list, ...this.#rows.map((thing) => row(this.#view, kind, thing, this.#open,
      el("strong", {}, thing.name), el("span", { class: "case-foot" }, ...thingWords(kind, thing).map((text) => el("span", {}, text))))),
    this.#next ? el("li", { class: "empty" }, el("button", { type: "button", onclick: () => this.#load(this.#next) },
      t("More (%(n)s of %(total)s shown)", { n: this.#rows.length, total: this.#total }))) : null);
  }
}
