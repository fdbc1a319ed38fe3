// The board: crews and time, what waits beside it. The selection is the page's; a place on it is foreseen by the server.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { localDay, now } from "./clock.mjs";
import { STEP_MIN, commit, deed, foresee, inWords, moveDialog, snapped } from "./placing.mjs";
import { ghostBlock, hours, legend, nowLine, row, scale, trayItem } from "./boardrows.mjs";
import { heightEdge } from "./boardedge.mjs";
import { told } from "./told.mjs";
import { say } from "./toast.mjs";

const ZOOMS = [0.6, 1, 1.6, 2.4, 4, 6];
const ASK_MS = 60;
const $ = (id) => document.getElementById(id);

export class Board {
  data = null;
  problem = null;
  #root; #desk; #day = null; #zoom; #ghost = null; #asking = null; #timer = null; #turn = 0; #scrolled = false; #hands = null; #wanted = null;

  constructor({ root, desk }) {
    this.#root = root; this.#desk = desk;
    this.#zoom = Math.min(Math.max(Number(localStorage.getItem("desk-board-zoom") ?? 2), 0), ZOOMS.length - 1);
    fill(root, el("div", { class: "board-head", id: "board-head" }), el("div", { class: "board-body" },
      el("section", { class: "tray", "aria-label": t("Waiting for a crew") }, el("h3", { id: "tray-title" }), el("ul", { id: "tray", class: "plain" })),
      el("div", { class: "board-scroll", id: "board-scroll", tabindex: 0, role: "region", "aria-label": t("Crews and their orders by time") })),
    el("p", { class: "board-said", id: "board-said", role: "status", "aria-live": "polite" }));
    root.addEventListener("keydown", (event) => this.#key(event));
    desk.view.addEventListener("selected", () => this.#mark());
    $("board-toggle").addEventListener("click", () => this.toggle());
    setInterval(() => this.#tick(), 30_000);
    heightEdge($("board-edge"), $("desk"), () => desk.map.resize());
    const asKept = () => this.open(localStorage.getItem("desk-board") === "open", true);
    matchMedia("(max-width: 760px)").addEventListener("change", asKept); // a page there, a drawer here
    asKept();
  }

  get ppm() { return ZOOMS[this.#zoom]; }

  get shown() { return !$("board-pane").hidden; }

  toggle() { this.open(!this.shown); if (this.shown) this.focus(); }

  open(on, first = false) {
    $("board-pane").hidden = $("board-edge").hidden = !on && innerWidth > 760;
    $("desk").classList.toggle("with-board", on);
    $("board-toggle").setAttribute("aria-expanded", String(on));
    if (!first) localStorage.setItem("desk-board", on ? "open" : "closed");
    if (on || innerWidth <= 760) this.load();
    if (!first) requestAnimationFrame(() => this.#desk.map.resize());
  }

  /** The day again, as it is now; what is under the hand stays. */
  async load() {
    if (!this.shown) return;
    const turn = ++this.#turn;
    try {
      const found = await ask(`/board.json${this.#day ? `?day=${this.#day}` : ""}`);
      if (turn !== this.#turn) return;
      this.data = found;
      this.problem = null;
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.problem = problem;
    }
    this.draw();
  }

  draw() {
    if (this.#hands) return; // never under the pointer; drawn again when it lets go
    const scroll = $("board-scroll");
    const kept = [scroll.scrollLeft, scroll.scrollTop], focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset : null;
    this.#drawHead();
    if (!this.data) { fill(scroll, el("div", { class: "empty" }, this.problem ? told(this.problem) : t("Loading…"))); return; }
    this.#drawTray();
    this.#drawRows(scroll);
    [scroll.scrollLeft, scroll.scrollTop] = kept;
    if (!this.#scrolled) this.toNow();
    this.#drawGhost();
    const wanted = this.#wanted && this.#root.querySelector(`.block[data-complaint="${this.#wanted}"]`);
    if (wanted) { this.#wanted = null; wanted.focus({ preventScroll: true }); } else if (focused?.order) this.#root.querySelector(`[data-order="${focused.order}"]`)?.focus({ preventScroll: true });
  }

  #drawHead() {
    const { data } = this;
    const day = data?.day ?? "";
    const zoomed = (by) => { this.#zoom = Math.min(Math.max(this.#zoom + by, 0), ZOOMS.length - 1); localStorage.setItem("desk-board-zoom", this.#zoom); this.draw(); };
    fill($("board-head"), el("h2", { id: "board-title" }, t("Board")),
      el("button", { type: "button", class: "quiet small", "aria-label": t("The day before"), onclick: () => this.#show(localDay(`${day}T12:00:00Z`, -1)) }, "‹"),
      el("strong", {}, day), el("button", { type: "button", class: "quiet small", "aria-label": t("The day after"), onclick: () => this.#show(localDay(`${day}T12:00:00Z`, 1)) }, "›"),
      el("button", { type: "button", class: "quiet small", onclick: () => { this.#scrolled = false; this.#show(null); } }, t("To the present hour")),
      el("button", { type: "button", class: "quiet small board-zoom", "aria-label": t("Show more hours"), onclick: () => zoomed(-1) }, "−"),
      el("button", { type: "button", class: "quiet small board-zoom", "aria-label": t("Show fewer hours"), onclick: () => zoomed(1) }, "+"),
      this.problem && data ? el("span", { class: "notice error small" }, told(this.problem)) : null, el("span", { class: "spacer" }), legend(),
      el("span", { class: "small soft board-hint" }, el("kbd", {}, "b"), " ", t("then arrows move the selected order, Enter confirms, Esc cancels")),
      el("button", { type: "button", class: "quiet small", "aria-label": t("Close the board"), onclick: () => this.open(false) }, "×"));
  }

  #show(day) { this.#day = day; this.cancel(); this.load(); }

  #drawTray() {
    const { waiting, waiting_total: total } = this.data;
    const { selected } = this;
    fill($("tray-title"), t("Waiting: %(n)s", { n: total }));
    fill($("tray"), waiting.length ? waiting.map((c) => trayItem(c, selected, (id) => this.#desk.select("complaint", id))) : el("li", { class: "small soft" }, t("Everything has a crew.")),
      total > waiting.length ? el("li", { class: "small soft" }, t("The %(n)s most urgent are shown.", { n: waiting.length })) : null);
  }

  #drawRows(scroll) {
    const { data, ppm, selected } = this;
    const by = (rows) => { const out = new Map(); for (const one of rows) { if (!out.has(one.crew_id)) out.set(one.crew_id, []); out.get(one.crew_id).push(one); } return out; };
    const orders = by(data.orders), shifts = by(data.shifts);
    if (!data.crews.length) { fill(scroll, el("div", { class: "empty" }, t("There is no crew here yet."))); return; }
    const onselect = (id) => this.#desk.select("complaint", id), oncrew = (crew) => this.#desk.select("crew", crew.id);
    const rows = el("ol", { class: "board-rows" }, data.crews.map((crew) => row(crew, data, ppm, { orders: orders.get(crew.id) ?? [], shifts: shifts.get(crew.id) ?? [], selected, onselect, oncrew })));
    const line = nowLine(data, ppm);
    fill(scroll, hours(data, ppm), el("div", { class: "board-canvas" }, rows, line ? el("div", { class: "board-now-row" }, line) : null));
  }

  /** Put the present moment into the picture. */
  toNow() {
    if (!this.data) return;
    this.#scrolled = true;
    $("board-scroll").scrollLeft = Math.max(scale(this.data, this.ppm).x(now()) - 120, 0);
  }

  get selected() {
    const { selected } = this.#desk.view;
    return selected?.kind === "complaint" ? String(selected.id) : null;
  }

  #mark() {
    const { selected } = this;
    for (const node of this.#root.querySelectorAll("[data-complaint]")) {
      const here = node.dataset.complaint === selected;
      if (node.classList.contains("block")) node.tabIndex = here ? 0 : -1;
      if (here === node.hasAttribute("aria-current")) continue;
      if (here) { node.setAttribute("aria-current", "true"); if (this.shown) node.scrollIntoView({ block: "nearest", inline: "nearest" }); } else node.removeAttribute("aria-current");
    }
    if (this.#ghost?.keys && String(this.#ghost.thing.complaint.id) !== selected) this.cancel();
  }

  #tick() {
    if (!this.shown || !this.data || document.hidden) return;
    const line = this.#root.querySelector(".board-now");
    if (line) line.style.left = `${scale(this.data, this.ppm).x(now())}px`;
  }

  /** A complaint with its order, as the board or (outside of the day) the server knows it. */
  async thing(id) {
    const there = this.known(id);
    if (there) return there;
    const c = await ask(`/complaints/${id}.json`);
    return { complaint: c, order: c.order };
  }

  known(id) {
    const order = this.data?.orders.find((o) => o.seen && o.status !== "resolved" && String(o.complaint_id) === String(id));
    if (order) return { complaint: { id: order.complaint_id, version: order.complaint_version, place: order.place, hotline_no: order.hotline_no }, order };
    const complaint = this.data?.waiting.find((c) => String(c.id) === String(id));
    return complaint ? { complaint, order: null } : null;
  }

  /** The moment of a day and a time of the city's clock. */
  momentOf(day, time) {
    const guess = new Date(`${day}T${time}:00Z`).getTime();
    const shown = (ms) => { const p = Object.fromEntries(new Intl.DateTimeFormat("en-CA", { timeZone: this.#desk.timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(ms).map((x) => [x.type, x.value])); return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute); };
    return guess - (shown(guess) - guess);
  }

  // --- ghost -----------------------------------------------------------------------------------------------------
  /** Foresee `thing` at a crew and a time; the picture follows at once, the words when the server has answered. */
  propose(thing, target, { keys = false } = {}) {
    const key = JSON.stringify([thing.complaint.id, target.crewId, target.start]);
    if (this.#ghost?.key === key) return;
    const length = thing.order ? new Date(thing.order.end) - new Date(thing.order.start) : ((thing.complaint.work_min ?? 40) + 15) * 60_000;
    const guess = target.start === null || target.start === undefined ? null : { crew_id: target.crewId, start: new Date(target.start), end: new Date(target.start + length), violations: [] };
    this.#ghost = { key, thing, target, keys, found: null, guess };
    this.#drawGhost();
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#timer = setTimeout(() => this.#foresee(key), ASK_MS);
  }

  async #foresee(key) {
    this.#asking = new AbortController();
    const ghost = this.#ghost;
    try {
      const found = await foresee(ghost.thing, ghost.target, this.#asking.signal);
      if (this.#ghost?.key !== key) return;
      ghost.found = found;
      fill($("board-said"), inWords(found));
      $("board-said").classList.toggle("against", found.violations.length > 0);
      this.#drawGhost();
    } catch (problem) {
      if (problem.name !== "AbortError" && this.#ghost?.key === key) fill($("board-said"), told(problem));
    }
  }

  #drawGhost() {
    for (const node of this.#root.querySelectorAll(".ghost")) node.remove();
    const shown = this.#ghost?.found ?? this.#ghost?.guess;
    this.#desk.carry?.tell(this.#ghost?.found);
    if (!shown?.start || !this.data) return;
    const lane = this.#root.querySelector(`[data-lane="${shown.crew_id}"]`);
    if (!lane) return;
    const node = ghostBlock(shown, this.ppm, scale(this.data, this.ppm).x, this.#ghost.found ? inWords(shown) : t("Looking…"), !this.#ghost.found);
    lane.append(node);
    if (this.#ghost.keys) { node.focus({ preventScroll: true }); node.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#ghost = null;
    this.#hands = null;
    fill($("board-said"));
    $("board-said").classList.remove("against");
    this.#drawGhost();
  }

  /** Make what is foreseen true. */
  async confirm() {
    const ghost = this.#ghost;
    if (!ghost) return false;
    clearTimeout(this.#timer);
    try {
      const found = ghost.found ?? await foresee(ghost.thing, ghost.target);
      this.cancel();
      return await commit(this.#desk, ghost.thing, ghost.target, found);
    } catch (problem) {
      this.cancel();
      say(told(problem), "error");
      return false;
    }
  }

  // --- by pointer ------------------------------------------------------------------------------------------------
  /** Where on the board the pointer is: a crew and a time, a crew, or the tray. */
  targetAt(x, y, grabX = 0) {
    const node = document.elementFromPoint(x, y);
    if (!node || !this.#root.contains(node)) return null;
    if (node.closest(".tray")) return { tray: true };
    const rowNode = node.closest(".board-row");
    if (!rowNode) return null;
    const crewId = Number(rowNode.dataset.crew), lane = rowNode.querySelector(".board-lane");
    if (node.closest(".board-name")) return { crewId, start: null };
    return { crewId, start: Math.max(snapped(scale(this.data, this.ppm).at(x - grabX - lane.getBoundingClientRect().left)), snapped(now() + STEP_MIN * 30_000)) };
  }

  hold(on) { this.#hands = on || null; if (!on) this.draw(); }

  drop() { return this.confirm(); }

  takeBack(thing) {
    if (thing.order) deed(this.#desk, thing, "take-back", {}, t("Taken back: %(place)s waits again", { place: thing.complaint.place || thing.complaint.hotline_no }));
  }

  /** Scroll while something is carried along an edge. */
  nudge(x, y) {
    const scroll = $("board-scroll"), box = scroll.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top - 40 || y > box.bottom) return;
    if (x > box.right - 30) scroll.scrollLeft += 12; else if (x < box.left + 150 && x > box.left + 120) scroll.scrollLeft -= 12;
    if (y > box.bottom - 20) scroll.scrollTop += 8; else if (y < box.top + 30) scroll.scrollTop -= 8;
  }

  // --- by keyboard -----------------------------------------------------------------------------------------------
  focus() {
    if (!this.shown) this.open(true);
    (this.#root.querySelector('.block[aria-current="true"]') ?? $("board-scroll")).focus();
  }

  /** The key b: the selected order on the board, ready to be moved; a complaint that waits begins at its best crew. */
  async take() {
    if (!this.shown) this.open(true);
    if (!this.data) await this.load();
    const id = this.selected;
    if (!id) { $("board-scroll").focus(); say(t("Choose a complaint in the list first.")); return; }
    const thing = await this.thing(id).catch(() => null);
    if (!thing || !this.#desk.can.assign) return;
    if (thing.order) {
      if (thing.order.locked) { say(t("This order is locked to its crew and time; unlock it first."), "error"); return; }
      this.propose(thing, { crewId: thing.order.crew_id, start: Math.max(new Date(thing.order.start).getTime(), snapped(now())) }, { keys: true });
      return;
    }
    const { crews: [best] } = await ask(`/complaints/${id}/crews.json?limit=1`).catch(() => ({ crews: [] }));
    const crewId = best?.id ?? this.data?.crews[0]?.id;
    if (crewId) this.propose(thing, { crewId, start: snapped(Math.max(new Date(best?.slot?.start ?? 0).getTime(), now()) + STEP_MIN * 30_000) }, { keys: true });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const done = (result) => { event.preventDefault(); event.stopPropagation(); return result; };
    if (this.#ghost?.keys) {
      if (event.key === "Escape") { this.cancel(); this.focus(); return done(); }
      if (event.key === "Enter") { this.confirm().then((ok) => { if (ok) this.#wanted = this.selected; else this.focus(); }); return done(); }
    }
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    if (!this.#ghost?.keys) {
      if (event.target.classList?.contains("block") && this.#desk.can.assign) { this.take(); done(); }
      return;
    }
    const { thing, target } = this.#ghost;
    const ids = this.data.crews.map((c) => c.id), at = ids.indexOf(target.crewId);
    const minutes = move[0] * (event.shiftKey ? 15 : STEP_MIN);
    this.propose(thing, { crewId: ids[Math.min(Math.max(at + move[1], 0), ids.length - 1)], start: Math.max(target.start + minutes * 60_000, snapped(now())) }, { keys: true });
    done();
  }

  /** The form that does the same. */
  async form(id) {
    if (!this.data) this.data = await ask("/board.json");
    return moveDialog(this.#desk, await this.thing(id), this.data.crews);
  }
}
