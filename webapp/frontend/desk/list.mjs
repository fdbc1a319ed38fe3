// The left pane: complaints, crews, or the other things of the map, as lists. Everything on the map is in one of them.
import { el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { cardItem, drawCard, drawnKey, tickCard } from "./card.mjs";
import { told } from "./told.mjs";
import { isSelected } from "./view.mjs";

/** Draws the list of complaints into `root` (a <ul>) and `head`, and keeps it as the store is. */
export class ComplaintList {
  #root; #head; #foot; #view; #store; #open; #drawn = new Map(); #first = true;

  constructor({ root, head, foot, view, store, open, exports }) {
    Object.assign(this, { exports });
    this.#root = root; this.#head = head; this.#foot = foot; this.#view = view; this.#store = store; this.#open = open;
    store.addEventListener("change", () => this.draw());
    view.picks?.addEventListener("change", () => { this.#markPicks(); this.#drawHead(); });
    for (const part of ["selected", "sort"]) view.addEventListener(part, () => this.#mark());
    new IntersectionObserver((seen) => { if (seen[0].isIntersecting) store.more(); }, { rootMargin: "400px" }).observe(foot);
    setInterval(() => this.#tick(), 15_000);
  }

  draw() {
    const { state, rows } = this.#store;
    this.#drawHead();
    this.#root.setAttribute("aria-busy", String(state === "loading"));
    if (state === "loading") return this.#say(el("div", { class: "skeleton", "aria-label": t("Loading…") }, ...Array.from({ length: 7 }, () => el("i"))));
    if (state === "error") return this.#say(this.#broken());
    if (!rows.length) return this.#say(this.#nothing());
    this.#drawRows(rows);
    this.#mark();
    this.#first = false;
  }

  /** The complaint after (or before) the selected one; the first when none is. */
  step(by) {
    const rows = this.#store.rows;
    if (!rows.length) return null;
    const at = rows.findIndex((row) => isSelected(this.#view, "complaint", row.id));
    return rows[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by, 0), rows.length - 1)];
  }

  /** Put the keyboard on the selected card, or on the first. */
  focus() {
    (this.#root.querySelector('[aria-current="true"]') ?? this.#root.querySelector("a"))?.focus();
  }

  #drawRows(rows) {
    const ids = new Set(rows.map((row) => row.id));
    for (const [id, item] of this.#drawn) if (!ids.has(id)) { item.remove(); this.#drawn.delete(id); }
    if (this.#root.firstElementChild?.tagName !== "LI") this.#root.replaceChildren();
    let before = null;
    for (const card of rows) {
      let item = this.#drawn.get(card.id);
      if (!item) {
        item = cardItem(card, this.#view, this.#open);
        if (!this.#first) item.classList.add("fresh");
        this.#drawn.set(card.id, item);
      } else if (item.dataset.drawn !== drawnKey(card)) {
        this.#redraw(item, card);
      }
      const place = before ? before.nextElementSibling : this.#root.firstElementChild;
      if (place !== item) this.#root.insertBefore(item, place);
      before = item;
    }
  }

  #redraw(item, card) {
    const focused = item.contains(document.activeElement);
    drawCard(item, card, this.#view, this.#open);
    item.classList.remove("fresh");
    void item.offsetWidth; // start the flash again
    item.classList.add("fresh");
    if (focused) item.firstElementChild.focus();
  }

  #drawHead() {
    const { total, counts, state } = this.#store;
    fill(this.#head, this.#allBox(),
      el("strong", {}, total === null ? "" : t("%(n)s complaints", { n: total.toLocaleString() })),
      el("span", { class: "spacer" }),
      el("button", { type: "button", class: "quiet small", onclick: () => this.#view.change({ sort: this.#view.sort === "due" ? "newest" : "due" }),
        title: t("Change the order") }, this.#view.sort === "due" ? t("Time limit ↓") : t("Newest ↓")),
      this.exports ? this.#files() : null,
      state === "ready" && counts.not_located
        ? el("p", { class: "small soft unlocated" }, t("%(n)s have no place on the map: they are only in this list.", { n: counts.not_located })) : null);
    fill(this.#foot, this.#store.next ? t("Loading more…") : "");
  }

  /** One box for all that are loaded: none, some, all. */
  #allBox() {
    const { picks } = this.#view, { rows, state } = this.#store;
    if (!picks || state !== "ready" || !rows.length) return null;
    const chosen = rows.filter((row) => picks.has(row.id)).length;
    const box = el("input", { type: "checkbox", id: "pick-all", class: "pick-all", checked: chosen === rows.length, "aria-label": t("Choose all that are listed"), title: t("Choose all that are listed"),
      onclick: () => (chosen === rows.length ? picks.clear() : picks.add(rows.map((row) => row.id))) });
    box.indeterminate = chosen > 0 && chosen < rows.length;
    return box;
  }

  #markPicks() {
    const { picks } = this.#view;
    for (const [id, item] of this.#drawn) {
      const box = item.querySelector(".pick");
      if (box) box.checked = picks.has(id);
      item.classList.toggle("picked", picks.has(id));
    }
  }

  /** What is shown as a file; the query string of the view goes with it. */
  #files() {
    const query = this.#view.query();
    const files = [["Excel", `/complaints.xlsx?${query}`], ["CSV (UTF-8)", `/complaints.csv?${query}`], ["CSV (GB18030)", `/complaints.csv?encoding=gb18030&${query}`],
      ["CSV (GBK)", `/complaints.csv?encoding=gbk&${query}`], ["GeoJSON", `/complaints.geojson?${query}`], ["GeoPackage", `/complaints.gpkg?${query}`]];
    return el("details", { class: "files small" }, el("summary", { title: t("Without personal data") }, t("Files ↓")),
      el("ul", {}, files.map(([name, href]) => el("li", {}, el("a", { href }, name)))));
  }

  #say(node) {
    this.#drawn.clear();
    fill(this.#root, node);
  }

  #nothing() {
    const filtered = this.#view.isFiltered() && this.#view.query() !== "status=open";
    return el("li", { class: "empty" }, el("strong", {}, filtered ? t("No complaint fits these filters") : t("No open complaint")),
      filtered ? t("Take a filter away to see more.") : t("New complaints appear here by themselves."),
      el("p", {}, filtered ? el("button", { type: "button", onclick: () => this.onClear?.() }, t("Clear filters"))
        : this.canReceive ? el("a", { class: "button", href: "/complaints/new" }, t("New complaint")) : null));
  }

  #broken() {
    return el("li", { class: "empty", role: "alert" }, el("strong", {}, t("The list could not be loaded")), told(this.#store.problem),
      el("p", {}, el("button", { type: "button", onclick: () => this.#store.load() }, t("Try again"))));
  }

  #mark() {
    for (const [id, item] of this.#drawn) {
      const link = item.firstElementChild;
      const here = isSelected(this.#view, "complaint", id);
      if (here === (link.getAttribute("aria-current") === "true")) continue;
      if (here) { link.setAttribute("aria-current", "true"); item.scrollIntoView({ block: "nearest" }); }
      else link.removeAttribute("aria-current");
    }
  }

  #tick() {
    for (const [id, item] of this.#drawn) {
      const card = this.#store.get(id);
      if (card) tickCard(item, card);
    }
  }
}
