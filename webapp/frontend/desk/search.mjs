// The search of the top bar: places to go to, complaints to open, and "everything that contains this" as a filter.
import { ask, el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { told } from "./told.mjs";

const WAIT_MS = 180;

/** A combobox as ARIA describes it: the focus stays in the field, arrows move through what was found. */
export class Search {
  #field; #list; #desk; #found = []; #at = -1; #turn = 0; #timer = null;

  constructor({ field, list, desk }) {
    this.#field = field; this.#list = list; this.#desk = desk;
    field.addEventListener("input", () => { clearTimeout(this.#timer); this.#timer = setTimeout(() => this.#ask(), WAIT_MS); });
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("blur", () => setTimeout(() => this.#close(), 150));
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  async #ask() {
    const q = this.#field.value.trim();
    const turn = ++this.#turn;
    if (!q) return this.#close();
    const [complaints, places] = await Promise.allSettled([
      ask(`/complaints.json?${new URLSearchParams({ q, limit: 5, sort: "newest" })}`), ask(`/places/search.json?${new URLSearchParams({ q })}`)]);
    if (turn !== this.#turn) return undefined;
    const cards = complaints.value?.rows ?? [];
    const total = complaints.value?.total ?? 0;
    this.#found = [
      ...(total ? [{ title: t("All %(n)s complaints that contain “%(q)s”", { n: total, q }), go: () => this.#desk.view.change({ tab: "complaints", pane: "list", filters: { ...this.#desk.view.filters, status: [], q } }) }] : []),
      ...cards.map((card) => ({ title: card.place || card.hotline_no, more: `${card.hotline_no} · ${card.category_name} · ${word("status", card.status)}`, go: () => this.#desk.select("complaint", card.id) })),
      ...(places.value ?? []).slice(0, 6).map((place) => ({ title: place.name, more: word("place", place.kind), go: () => this.#desk.showOnMap(place.lon, place.lat) })),
    ];
    this.#at = this.#found.length ? 0 : -1;
    this.#draw(complaints.status === "rejected" && places.status === "rejected" ? told(complaints.reason) : t("Nothing was found for “%(q)s”.", { q }));
    return undefined;
  }

  #draw(nothing) {
    fill(this.#list, ...(this.#found.length ? this.#found.map((item, n) => el("li", { role: "option", id: `found-${n}`, "aria-selected": String(n === this.#at), onmousedown: (event) => { event.preventDefault(); this.#go(n); } },
      el("span", {}, item.title), item.more ? el("span", { class: "small soft" }, item.more) : null)) : [el("li", { class: "soft", role: "option", "aria-disabled": "true", "aria-selected": "false" }, nothing)]));
    this.#list.hidden = false;
    this.#field.setAttribute("aria-expanded", "true");
    this.#point();
  }

  #point() {
    [...this.#list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === this.#at)));
    if (this.#at >= 0) { this.#field.setAttribute("aria-activedescendant", `found-${this.#at}`); this.#list.children[this.#at].scrollIntoView({ block: "nearest" }); }
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (this.#list.hidden) this.#field.blur();
      this.#close();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.#list.hidden && this.#at >= 0) this.#go(this.#at);
      else { clearTimeout(this.#timer); this.#ask(); }
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.#found.length) { this.#at = (this.#at + (event.key === "ArrowDown" ? 1 : -1) + this.#found.length) % this.#found.length; this.#point(); }
    }
  }

  #go(n) {
    const item = this.#found[n];
    this.#close();
    this.#field.value = "";
    this.#field.blur();
    item?.go();
  }

  #close() {
    this.#turn += 1;
    this.#list.hidden = true;
    this.#found = [];
    this.#field.setAttribute("aria-expanded", "false");
    this.#field.removeAttribute("aria-activedescendant");
  }
}
