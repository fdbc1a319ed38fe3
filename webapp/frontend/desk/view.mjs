// The URL is the view: filters, what is selected, which page is shown, where the map is, which layers are on.

/** The filters that the list, the map, the counts and the exports share; names are those of the query string. */
export const FILTERS = ["status", "category", "district", "unit", "time_state", "mark"];
const SINGLE = ["from", "to", "q"];
const TABS = ["complaints", "crews", "things"];
const PANES = ["list", "map", "detail", "board"];

export const noFilters = () => ({ ...Object.fromEntries(FILTERS.map((name) => [name, []])), from: "", to: "", q: "" });

/** A query string as `{filters, sort, tab, pane, selected, at, layers}`. An empty one is the dispatcher's start: what is open. */
export function parse(search) {
  const given = new URLSearchParams(search);
  const filters = noFilters();
  for (const name of FILTERS) filters[name] = given.getAll(name).filter(Boolean);
  for (const name of SINGLE) filters[name] = given.get(name) ?? "";
  if (![...given.keys()].length) filters.status = ["open"];
  const [kind, id] = (given.get("thing") ?? "").split(":");
  const at = (given.get("at") ?? "").split("/").map(Number);
  return {
    filters,
    sort: given.get("sort") === "newest" ? "newest" : "due",
    tab: TABS.includes(given.get("tab")) ? given.get("tab") : "complaints",
    pane: PANES.includes(given.get("pane")) ? given.get("pane") : "list",
    selected: given.get("id") ? { kind: "complaint", id: given.get("id") } : id ? { kind, id } : null,
    at: at.length === 3 && at.every(Number.isFinite) ? { zoom: at[0], lat: at[1], lon: at[2] } : null,
    layers: given.has("layers") ? given.get("layers").split(",").filter(Boolean) : null,
  };
}

/** Only the filters, as the query string of a request. */
export function filterQuery(filters) {
  const out = new URLSearchParams();
  for (const name of FILTERS) for (const value of filters[name]) out.append(name, value);
  for (const name of SINGLE) if (filters[name]) out.set(name, filters[name]);
  return out;
}

/** The whole view as a query string; never empty, so that "no filter" and "first visit" are told apart. */
export function format(view) {
  const out = filterQuery(view.filters);
  out.set("sort", view.sort);
  if (view.tab !== "complaints") out.set("tab", view.tab);
  if (view.pane !== "list") out.set("pane", view.pane);
  if (view.selected?.kind === "complaint") out.set("id", view.selected.id);
  else if (view.selected) out.set("thing", `${view.selected.kind}:${view.selected.id}`);
  if (view.layers) out.set("layers", view.layers.join(","));
  if (view.at) out.set("at", `${view.at.zoom.toFixed(2)}/${view.at.lat.toFixed(5)}/${view.at.lon.toFixed(5)}`);
  return `?${out.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The one view of the page. `change({…})` writes the URL and tells every pane what is different. */
export class View extends EventTarget {
  constructor() {
    super();
    Object.assign(this, parse(location.search));
    history.replaceState(null, "", format(this));
    addEventListener("popstate", () => this.#take(parse(location.search)));
  }

  /** Small moves (the map's centre) replace the entry of the history; the others add one, so that Back goes back. */
  change(part, { quiet = false } = {}) {
    const before = format(this);
    const different = this.#assign(part);
    const after = format(this);
    if (after !== before) history[quiet ? "replaceState" : "pushState"](null, "", after);
    this.#tell(different);
  }

  /** The URL of the view with something else changed: for real links. */
  href(part) {
    return format({ ...this, ...part });
  }

  query() {
    return filterQuery(this.filters).toString();
  }

  isFiltered() {
    return this.query() !== "";
  }

  #take(next) {
    this.#tell(this.#assign(next));
  }

  #assign(part) {
    const different = Object.keys(part).filter((key) => !same(this[key], part[key]));
    for (const key of different) this[key] = part[key];
    return different;
  }

  #tell(different) {
    for (const key of different) this.dispatchEvent(new Event(key));
  }
}

/** Is this the selected thing? */
export const isSelected = (view, kind, id) => view.selected?.kind === kind && String(view.selected.id) === String(id);
