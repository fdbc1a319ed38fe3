// The filter bar: one chip per filter; an open chip is a list of check boxes. What is chosen is in the URL.
import { el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { localDay, now, stateWords } from "./clock.mjs";
import { FILTERS, noFilters } from "./view.mjs";

const CLOCK = ["green", "yellow", "orange", "red", "paused", "done"];
const LONG = 12;

/** Draws the chips into `root`; `words` is /filters.json, or null until it has come. */
export class FilterBar {
  #root; #view; #words = null; #open = null;

  constructor({ root, view }) {
    this.#root = root; this.#view = view;
    view.addEventListener("filters", () => this.draw());
    const toggle = document.getElementById("filters-toggle"); // a phone has no room for all chips at once
    toggle.addEventListener("click", () => toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true")));
    document.addEventListener("click", (event) => { if (this.#open && !event.composedPath().includes(root)) this.close(); });
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#open) return;
      event.stopPropagation();
      const name = this.#open;
      this.close();
      this.#root.querySelector(`[data-chip="${name}"]`)?.focus();
    });
    this.draw();
  }

  set words(words) {
    this.#words = words;
    this.draw();
  }

  close() {
    this.#open = null;
    this.draw();
  }

  clear() {
    this.#view.change({ filters: noFilters() });
  }

  draw() {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.key ?? null : null;
    const at = this.#root.querySelector(".drop-list")?.scrollTop ?? 0;
    const typed = this.#root.querySelector(".drop input[type=search]")?.value ?? "";
    fill(this.#root, ...this.#kinds().map((kind) => this.#chip(kind)), this.#dates(), this.#said(),
      this.#view.isFiltered() ? el("button", { type: "button", class: "quiet small", dataset: { key: "clear" }, onclick: () => this.clear() }, t("Clear filters")) : null);
    const set = FILTERS.filter((name) => this.#view.filters[name].length).length + (this.#view.filters.from || this.#view.filters.to ? 1 : 0) + (this.#view.filters.q ? 1 : 0);
    document.getElementById("filters-count").textContent = set ? `(${set})` : "";
    const list = this.#root.querySelector(".drop-list");
    if (list) list.scrollTop = at;
    const search = this.#root.querySelector(".drop input[type=search]");
    if (search && typed) { search.value = typed; search.dispatchEvent(new Event("input")); }
    if (focused) this.#root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #kinds() {
    const w = this.#words;
    const option = (value, name, inset) => ({ value: String(value), name, inset });
    return [
      { name: "status", title: t("Status"), options: [option("open", t("All open")), ...(w?.statuses ?? []).map((s) => option(s.code ?? s, s.name ?? word("status", s)))] },
      { name: "category", title: t("Category"), options: grouped(w?.categories ?? []).map((c) => option(c.code, c.name, c.inset)) },
      { name: "district", title: t("Area"), options: (w?.districts ?? []).map((d) => option(d.id, d.name, d.level !== "district")) },
      { name: "time_state", title: t("Time limit"), options: CLOCK.map((state) => option(state, stateWords(state))) },
      { name: "mark", title: t("Marked"), options: ["warned", "late", "key", "reopened", "extension"].map((mark) => option(mark, word("mark", mark))) },
      { name: "unit", title: t("Answering unit"), options: (w?.units ?? []).map((u) => option(u.id, u.name)) },
    ];
  }

  #chip({ name, title, options }) {
    const chosen = this.#view.filters[name];
    const names = chosen.map((value) => options.find((o) => o.value === value)?.name ?? value);
    const told = !names.length ? title : names.length === 1 ? `${title}${t(": ")}${names[0]}` : t("%(title)s: %(n)s chosen", { title, n: names.length });
    const open = this.#open === name;
    return el("div", { class: "filter" },
      el("button", { type: "button", class: `filter-chip ${chosen.length ? "on" : ""}`, "aria-expanded": String(open), "aria-haspopup": "true", title: names.join(t(", ")) || null,
        dataset: { chip: name, key: `chip-${name}` }, onclick: () => { this.#open = open ? null : name; this.draw(); if (!open) this.#root.querySelector(".drop input")?.focus(); } },
      el("span", {}, told), el("span", { "aria-hidden": "true" }, "▾")),
      open ? this.#drop(name, title, options, chosen) : null);
  }

  #drop(name, title, options, chosen) {
    const change = (value, on) => this.#view.change({ filters: { ...this.#view.filters, [name]: on ? [...chosen, value] : chosen.filter((v) => v !== value) } });
    const items = options.map((option) => el("label", { class: option.inset ? "inset" : "", dataset: { name: option.name.toLowerCase() } },
      el("input", { type: "checkbox", checked: chosen.includes(option.value), dataset: { key: `${name}-${option.value}` }, onchange: (event) => change(option.value, event.target.checked) }), option.name));
    return el("div", { class: "drop", role: "group", "aria-label": title },
      options.length > LONG ? el("input", { type: "search", placeholder: t("Search"), "aria-label": t("Search"), oninput: (event) => {
        const q = event.target.value.trim().toLowerCase();
        for (const item of items) item.hidden = !item.dataset.name.includes(q);
      } }) : null,
      el("div", { class: "drop-list" }, ...(items.length ? items : [el("p", { class: "soft" }, this.#words ? t("Nothing to choose from yet") : t("Loading…"))])),
      chosen.length ? el("button", { type: "button", class: "quiet small", dataset: { key: `none-${name}` }, onclick: () => this.#view.change({ filters: { ...this.#view.filters, [name]: [] } }) }, t("Choose none")) : null);
  }

  #dates() {
    const { from, to } = this.#view.filters;
    const open = this.#open === "dates";
    const set = (dates) => this.#view.change({ filters: { ...this.#view.filters, ...dates } });
    const preset = (words, days) => el("button", { type: "button", class: "small", dataset: { key: `days-${days}` }, onclick: () => set(days === null ? { from: "", to: "" } : { from: localDay(now(), -days), to: localDay(now()) }) }, words);
    const field = (name, words, value) => el("label", {}, words, el("input", { type: "date", value, dataset: { key: name }, onchange: (event) => set({ [name]: event.target.value }) }));
    return el("div", { class: "filter" },
      el("button", { type: "button", class: `filter-chip ${from || to ? "on" : ""}`, "aria-expanded": String(open), "aria-haspopup": "true", dataset: { chip: "dates", key: "chip-dates" },
        onclick: () => { this.#open = open ? null : "dates"; this.draw(); } },
      el("span", {}, from || to ? t("Received: %(from)s – %(to)s", { from: from || "…", to: to || "…" }) : t("Received")), el("span", { "aria-hidden": "true" }, "▾")),
      open ? el("div", { class: "drop", role: "group", "aria-label": t("Received") },
        el("div", { class: "row" }, preset(t("Today"), 0), preset(t("Last 7 days"), 6), preset(t("Any time"), null)), field("from", t("From"), from), field("to", t("Until"), to)) : null);
  }

  #said() {
    const { q } = this.#view.filters;
    return q ? el("button", { type: "button", class: "filter-chip on", dataset: { key: "q" }, title: t("Take the search away"), onclick: () => this.#view.change({ filters: { ...this.#view.filters, q: "" } }) },
      t("Contains “%(q)s”", { q }), el("span", { "aria-hidden": "true" }, "×")) : null;
  }
}

/** Categories under their group ("heat" is every "heat.…"); a group of one is just the category. */
function grouped(categories) {
  const groups = new Map();
  for (const category of categories) {
    const group = category.code.split(".")[0];
    groups.set(group, [...(groups.get(group) ?? []), category]);
  }
  return [...groups].flatMap(([group, members]) => members.length === 1 ? members
    : [{ code: group, name: t("All: %(group)s", { group: word("group", group) }) }, ...members.map((member) => ({ ...member, inset: true }))]);
}
