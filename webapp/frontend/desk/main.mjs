// The dispatcher's console: puts the panes together around one view, one selection and one stream of changes.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { setZone } from "./clock.mjs";
import { Board } from "./board.mjs";
import { Carry } from "./carry.mjs";
import { Detail } from "./detail.mjs";
import { FilterBar } from "./filters.mjs";
import { helpDialog, listen } from "./keys.mjs";
import { lasso } from "./lasso.mjs";
import { Legend } from "./legend.mjs";
import { ComplaintList } from "./list.mjs";
import { Live } from "./live.mjs";
import { MapPane } from "./mappane.mjs";
import { News } from "./news.mjs";
import { PickBar, Picks } from "./picks.mjs";
import { pageSwitch, resizable, wallSize } from "./panes.mjs";
import { Search } from "./search.mjs";
import { Complaints, Crews, Totals } from "./store.mjs";
import { ThingList, drawCrews } from "./things.mjs";
import { forgetUndo, say, sayUndo, undoLast } from "./toast.mjs";
import { told } from "./told.mjs";
import { View, noFilters } from "./view.mjs";

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("desk-config").textContent);
const TOUCHES = { complaint: ["complaints"], work_order: ["complaints", "crews"], crew: ["crews"], import: ["complaints", "crews", "stations", "pipelines", "valves", "sources", "supply_points", "cameras", "blind_spots", "areas"], valve: ["valves"], station: ["stations"], building: ["buildings"], road_network: ["roads"] };
const SOON_MS = 120; // changes that come together are fetched together
const REST = 3; // after a refresh the page rests so many times as long as it took, so that a busy server is not asked more
const REST_MOST_MS = 5000;
const STEP_MS = 120;
const CLOCK_MS = 60_000;

setZone(config.timezone);

/** The page. Everything a pane may ask of the others goes through here. */
class Desk {
  can = config.can;
  view = new View();
  store = new Complaints(this.view);
  totals = new Totals();
  crews = new Crews();
  live = new Live();
  picks = new Picks();
  timezone = config.timezone;
  #touched = new Set();
  #timer = null;
  #rested = 0;
  #stepTimer = null;
  #framed = false;

  constructor() {
    this.map = new MapPane({ root: $("map"), view: this.view, store: this.store, crews: this.crews, tileUrl: config.tile_url, open: (kind, thing) => this.#openFromMap(kind, thing) });
    if (this.can.assign) Object.assign(this.view, { picks: this.picks, onPick: (card, event) => this.#pickCard(card, event) });
    this.detail = new Detail({ root: $("detail"), desk: this });
    this.board = new Board({ root: $("board"), desk: this });
    this.carry = new Carry(this);
    this.pickBar = new PickBar({ root: $("pick-bar"), desk: this });
    this.list = new ComplaintList({ root: $("cases"), head: $("list-head"), foot: $("list-foot"), view: this.view, store: this.store, open: (card, keyboard) => this.#openCard(card, keyboard), exports: this.can.export });
    this.list.canReceive = this.can.receive;
    this.list.onClear = () => this.filters.clear();
    this.things = new ThingList({ root: $("things"), view: this.view, open: (kind, thing) => this.select(kind, thing.id) });
    this.filters = new FilterBar({ root: $("filters"), view: this.view });
    this.search = new Search({ field: $("search"), list: $("search-found"), desk: this });
    this.legend = new Legend({ root: $("legend"), view: this.view, map: this.map });
    this.news = new News({ button: $("bell"), panel: $("news"), find: (id) => this.store.get(id), open: (id) => this.select("complaint", id) });
    this.help = helpDialog($("help"), this);
  }

  async start() {
    this.#listen();
    listen(this);
    this.detail.show();
    this.#showTab();
    await this.live.start(); // the cursor first: what changes while the rest loads is told afterwards
    ask("/filters.json").then((words) => { this.filters.words = words; }, () => {});
    const loaded = Promise.all([this.store.load(), this.crews.load(), this.totals.load()]);
    await this.map.start();
    this.map.onPress((id, event) => this.carry.fromMap(id, event));
    await loaded;
    this.#frame();
  }

  /** The one selection of all panes; null selects nothing. */
  select(kind, id) {
    const selected = kind ? { kind, id: String(id) } : null;
    this.view.change({ selected, pane: selected ? "detail" : this.view.pane === "detail" ? "list" : this.view.pane });
  }

  showOnMap(lon, lat) {
    this.view.change({ pane: "map" });
    this.map.point(lon, lat);
  }

  /** One click: the order is made, and can be undone for a minute. */
  async assign(complaint, crew, reason) {
    const body = { complaint_id: complaint.id, crew_id: crew.id, base_version: complaint.version, ...(reason ? { override_reason: reason } : {}) };
    try {
      const { order } = await ask("/work-orders", { method: "POST", body });
      const place = complaint.place || complaint.hotline_no;
      sayUndo(t("Sent %(crew)s to %(place)s", { crew: crew.name, place }), { id: order.id, until: order.undo_until }, () => this.#recall(order, place));
      this.changed();
    } catch (problem) {
      if (problem.code === "violation_not_overridden") throw problem;
      if (problem.code === "stale_version" || problem.code === "already_assigned" || problem.code === "wrong_step") await this.detail.showStale(problem);
      else { say(told(problem), "error"); this.detail.ranking?.load(); }
      this.changed();
    }
  }

  /** We changed something ourselves: look at once, do not wait to be told. */
  changed() {
    this.#touch(["complaints", "crews", "board"], 0);
    this.detail.refresh();
    this.live.now();
  }

  step(by) {
    if (this.view.tab !== "complaints") this.view.change({ tab: "complaints" });
    const card = this.list.step(by);
    if (!card) return;
    this.view.change({ selected: { kind: "complaint", id: String(card.id) } }, { quiet: true });
    this.list.focus();
  }

  enter() {
    if (!this.view.selected) return false;
    this.view.change({ pane: "detail" });
    this.detail.focus();
    return true;
  }

  choose(n) {
    if (!this.detail.ranking) return false;
    this.detail.ranking.choose(n).catch(() => {});
    return true;
  }

  rerank() {
    this.detail.ranking?.load();
  }

  undo() {
    if (!undoLast()) say(t("There is nothing to undo."));
  }

  go(pane) {
    this.view.change({ pane });
    ({ list: this.list, map: this.map, detail: this.detail, board: this.board })[pane].focus();
  }

  /** Choose the selected complaint for a bulk action, or take it out. */
  pick() {
    const { selected } = this.view;
    if (selected?.kind === "complaint" && this.can.assign) this.picks.set(selected.id, !this.picks.has(selected.id));
  }

  #pickCard(card, event) {
    if (event.shiftKey) this.picks.range(card.id, this.store.rows);
    else if (event.ctrlKey || event.metaKey) this.picks.set(card.id, !this.picks.has(card.id));
    return event.shiftKey || event.ctrlKey || event.metaKey;
  }

  escape() {
    if (this.picks.size) this.picks.clear();
    else if (this.view.selected) this.select(null);
  }

  #listen() {
    this.view.addEventListener("filters", () => this.#reload());
    this.view.addEventListener("sort", () => this.store.load());
    this.view.addEventListener("tab", () => this.#showTab());
    this.view.addEventListener("selected", () => {
      clearTimeout(this.#stepTimer); // holding j down must not ask for every complaint on the way
      this.#stepTimer = setTimeout(() => this.detail.show(), STEP_MS);
      if (this.view.tab === "crews") drawCrews($("crews"), this.crews, this.view, (kind, crew) => this.select(kind, crew.id));
    });
    this.crews.addEventListener("change", () => { this.#drawCounts(); this.#drawCrews(); });
    this.totals.addEventListener("change", () => this.#drawCounts());
    this.live.addEventListener("change", (event) => this.#take(event.detail));
    this.live.addEventListener("reload", () => this.#anew());
    this.live.addEventListener("connection", (event) => this.#connection(event.detail));
    $("tabs").addEventListener("click", (event) => { const tab = event.target.closest("button")?.dataset.tab; if (tab) this.view.change({ tab }); });
    $("tabs").addEventListener("keydown", (event) => this.#turnTab(event));
    setInterval(() => document.hidden || this.#touch(["complaints", "crews"], 0), CLOCK_MS); // time alone makes complaints late and crews silent
    $("counts").addEventListener("click", (event) => this.#count(event.target.closest("button")?.dataset.count));
    $("help-button").addEventListener("click", () => this.help());
    const fit = () => this.map.resize();
    resizable($("list-edge"), $("desk"), { name: "list", side: "left", onresize: fit });
    resizable($("detail-edge"), $("desk"), { name: "detail", side: "right", onresize: fit });
    pageSwitch($("switch"), $("desk"), this.view, () => requestAnimationFrame(fit));
    wallSize($("text-size"), fit);
    if (this.can.assign) lasso({ button: $("lasso"), root: $("map"), map: this.map, chosen: (ids) => this.picks.add(ids) });
  }

  async #reload() {
    await this.store.load();
    if (!this.#framed) this.#frame();
  }

  #frame() {
    this.#framed = true;
    this.map.frame();
  }

  #showTab() {
    const { tab } = this.view;
    for (const button of $("tabs").querySelectorAll("button")) {
      button.setAttribute("aria-selected", String(button.dataset.tab === tab));
      button.tabIndex = button.dataset.tab === tab ? 0 : -1;
    }
    for (const name of ["complaints", "crews", "things"]) $(`panel-${name}`).hidden = name !== tab;
    if (tab === "things") this.things.show();
    this.#drawCrews();
  }

  #turnTab(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const buttons = [...$("tabs").querySelectorAll("button")];
    const next = buttons[(buttons.findIndex((b) => b.dataset.tab === this.view.tab) + by + buttons.length) % buttons.length];
    event.preventDefault();
    this.view.change({ tab: next.dataset.tab });
    next.focus();
  }

  #drawCrews() {
    if (this.view.tab === "crews") drawCrews($("crews"), this.crews, this.view, (kind, crew) => this.select(kind, crew.id));
  }

  #drawCounts() {
    const { counts } = this.totals;
    const put = (name, value) => { $("counts").querySelector(`[data-count="${name}"] b`).textContent = value; };
    if (counts) for (const name of ["open", "due_soon", "overdue"]) put(name, (counts[name] ?? 0).toLocaleString());
    if (this.crews.state === "ready") put("crews", `${this.crews.rows.filter((crew) => crew.on_shift).length}/${this.crews.rows.length}`);
    const silent = this.crews.rows.filter((crew) => crew.state === "silent").length;
    put("silent", silent);
    $("counts").querySelector('[data-count="silent"]').hidden = !silent;
    $("counts").querySelector('[data-count="overdue"]').classList.toggle("alarm", (counts?.overdue ?? 0) > 0);
    $("counts").querySelector('[data-count="due_soon"]').classList.toggle("warn", (counts?.due_soon ?? 0) > 0);
  }

  #count(name) {
    if (name === "crews" || name === "silent") this.view.change({ tab: "crews", pane: "list" });
    else if (name) this.view.change({ tab: "complaints", pane: "list", filters: { ...noFilters(), status: ["open"], time_state: { overdue: ["red"], due_soon: ["orange"] }[name] ?? [] } });
  }

  #openCard(card, keyboard) {
    this.select("complaint", card.id);
    if (keyboard) this.detail.focus();
  }

  #openFromMap(kind, thing) {
    this.select(kind, thing.id);
    if (innerWidth > 760) this.view.change({ pane: this.view.pane }, { quiet: true });
  }

  async #recall(order, place) {
    try {
      await ask(`/work-orders/${order.id}/recall`, { method: "POST", body: { base_version: order.version } });
      say(t("Undone: %(place)s waits again", { place }), "done");
    } catch (problem) {
      say(told(problem), "error");
    }
    this.changed();
  }

  /** Rows of the journal: note what is touched and refresh it together, not once per row. */
  #take(rows) {
    this.news.take(rows);
    const touched = rows.flatMap((row) => TOUCHES[row.thing] ?? []);
    if (!touched.length) return;
    this.#touch(touched, Math.max(SOON_MS, this.#rested - performance.now()));
    const { selected } = this.view;
    const mine = selected?.kind === "complaint" && rows.some((row) => row.thing === "work_order" || (row.thing === "complaint" && row.thing_id === String(selected.id)));
    if (mine) this.detail.refresh();
    if (rows.some((row) => row.thing === "crew" || row.thing === "work_order")) this.detail.ranking?.offerRefresh();
    forgetUndo(rows.filter((row) => row.thing === "work_order" && row.verb !== "assign" && !row.mine).map((row) => row.thing_id));
  }

  #touch(what, wait) {
    for (const name of what) this.#touched.add(name);
    if (wait === 0) { clearTimeout(this.#timer); this.#timer = null; }
    this.#timer ??= setTimeout(() => this.#refresh(), wait);
  }

  async #refresh() {
    const touched = [...this.#touched];
    const began = performance.now();
    this.#timer = null;
    this.#touched.clear();
    this.map.refresh(...touched);
    await Promise.all([
      ...(touched.includes("complaints") ? [this.store.refresh(), this.totals.load()] : []),
      ...(touched.includes("crews") ? [this.crews.load()] : []),
      ...(touched.includes("board") || touched.includes("complaints") ? [this.board.load()] : []),
    ]);
    this.#rested = performance.now() + Math.min(REST_MOST_MS, REST * (performance.now() - began));
  }

  /** More changed than can be told, or we were away: everything that may have changed is fetched anew. */
  #anew() {
    this.#touch(Object.values(TOUCHES).flat(), 0);
    this.detail.refresh();
  }

  #connection({ state, back }) {
    const words = { live: t("Live"), lost: t("Connection lost, trying again…"), signed_out: t("Signed out"), paused: t("Paused") }[state];
    const light = $("connection");
    light.className = `connection ${state}`;
    fill(light, words, state === "signed_out" ? el("a", { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}` }, t("Sign in")) : null);
    if (back) this.#anew();
  }
}

new Desk().start();
