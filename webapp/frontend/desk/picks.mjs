// Several complaints at once: chosen by ctrl or shift click, by the boxes of the list, by a lasso on the map; one bar says what can be done.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { short } from "./clock.mjs";
import { undo } from "./placing.mjs";
import { say } from "./toast.mjs";
import { told } from "./told.mjs";

/** The set of what is chosen; whoever draws it listens to `change`. */
export class Picks extends EventTarget {
  #ids = new Set();
  #last = null;

  get size() { return this.#ids.size; }
  get ids() { return [...this.#ids]; }
  has(id) { return this.#ids.has(Number(id)); }

  set(id, on) {
    this.#ids[on ? "add" : "delete"](Number(id));
    this.#last = Number(id);
    this.#tell();
  }

  /** From the last one chosen to this one, in the order of the list. */
  range(id, rows) {
    const ids = rows.map((row) => row.id), to = ids.indexOf(Number(id)), from = Math.max(ids.indexOf(this.#last ?? Number(id)), 0);
    for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) this.#ids.add(one);
    this.#last = Number(id);
    this.#tell();
  }

  add(ids) { for (const id of ids) this.#ids.add(Number(id)); this.#tell(); }

  replace(ids) { this.#ids = new Set(ids.map(Number)); this.#tell(); }

  clear() { this.#ids.clear(); this.#last = null; this.#tell(); }

  #tell() { this.dispatchEvent(new Event("change")); }
}

/** The bar of what can be done with the chosen ones, and the sheet of what became of them. */
export class PickBar {
  #root; #desk; #each = false; #crew = ""; #busy = false;

  constructor({ root, desk }) {
    this.#root = root; this.#desk = desk;
    desk.picks.addEventListener("change", () => this.draw());
    desk.store.addEventListener("change", () => desk.picks.size && this.draw());
  }

  draw() {
    const { picks, store, crews } = this.#desk;
    this.#root.hidden = !picks.size;
    if (!picks.size || this.#root.contains(document.activeElement) && document.activeElement.tagName === "SELECT") return;
    const known = picks.ids.map((id) => store.get(id)).filter(Boolean);
    const withCrew = known.filter((card) => card.crew).length;
    const button = (words, verb, more = {}) => el("button", { type: "button", class: verb === "assign" ? "primary small" : "small", disabled: this.#busy, dataset: { bulk: more.data ?? verb }, onclick: () => this.#run(verb, more) }, words);
    const crew = el("select", { class: "small", "aria-label": t("All to one crew"), onchange: (e) => { this.#crew = e.target.value; } }, el("option", { value: "" }, t("each to its best crew")),
      ...[...crews.rows].sort((a, b) => a.name.localeCompare(b.name, "zh")).map((c) => el("option", { value: c.id, selected: String(c.id) === this.#crew }, c.name)));
    const each = el("select", { class: "small", "aria-label": t("If one cannot be done"), onchange: (e) => { this.#each = e.target.value === "each"; } },
      el("option", { value: "all", selected: !this.#each }, t("all or none")), el("option", { value: "each", selected: this.#each }, t("each by itself")));
    fill(this.#root, el("strong", { role: "status" }, t("%(n)s chosen", { n: picks.size })), el("span", { class: "small soft" }, withCrew ? t("%(n)s with a crew", { n: withCrew }) : ""),
      el("span", { class: "row" }, button(t("Assign"), "assign"), crew), el("span", { class: "row" }, button(t("Take the order back"), "recall"), button(t("Lock the order"), "lock"), button(t("Unlock the order"), "unlock")), each,
      el("span", { class: "spacer" }), el("button", { type: "button", class: "quiet small", onclick: () => picks.clear() }, t("Choose none")));
  }

  async #run(verb) {
    const { picks, store } = this.#desk;
    const items = picks.ids.map((id) => ({ id, version: store.get(id)?.version ?? null }));
    this.#busy = true;
    this.draw();
    try {
      const body = { verb, items, each: this.#each, ...(verb === "assign" && this.#crew ? { crew_id: Number(this.#crew) } : {}) };
      this.#finish(await ask("/work-orders/together", { method: "POST", body }));
    } catch (problem) {
      if (problem.results) this.#finish(problem, problem.message);
      else say(told(problem), "error");
    } finally {
      this.#busy = false;
      this.draw();
      this.#desk.changed();
    }
  }

  #finish(answer, refused = null) {
    const { picks } = this.#desk;
    const done = refused ? [] : answer.results.filter((r) => r.ok), failed = answer.results.filter((r) => !r.ok);
    picks.replace(refused ? picks.ids : failed.map((r) => r.id));
    this.#sheet(answer, done, failed, refused);
  }

  /** Exactly what was done and what not: never one of many silently. */
  #sheet(answer, done, failed, refused) {
    const dialog = el("dialog", { class: "help board-dialog result-sheet", "aria-label": t("What became of it") });
    const close = () => { dialog.close(); dialog.remove(); };
    dialog.addEventListener("cancel", close);
    const open = (id) => { close(); this.#desk.select("complaint", id); };
    const item = (r, more) => el("li", { class: r.ok ? "" : "against" }, el("button", { type: "button", class: "link", onclick: () => open(r.id) }, r.place || r.hotline_no || t("Complaint %(id)s", { id: r.id })), el("span", { class: "small" }, more));
    const undoAll = async () => { close(); for (const r of done) await undo(this.#desk, r.order.id, r.place || r.hotline_no); };
    fill(dialog, el("h2", {}, refused ?? t("%(done)s of %(asked)s done", { done: answer.done, asked: answer.asked })),
      failed.length ? [el("h3", {}, t("Not done: %(n)s", { n: failed.length })), el("ul", { class: "plain results" }, ...failed.map((r) => item(r, r.why)))] : null,
      refused ? el("p", { class: "small soft" }, t("Nothing was changed. Take these out, or choose “each by itself”.")) : null,
      done.length ? [el("h3", {}, t("Done: %(n)s", { n: done.length })), el("ul", { class: "plain results" }, ...done.map((r) => item(r, `${r.order.crew} · ${short(r.order.start)} – ${short(r.order.end)}`)))] : null,
      el("div", { class: "row end" }, done.length ? el("button", { type: "button", dataset: { undo: "" }, onclick: undoAll }, t("Undo all of it")) : null,
        refused ? el("button", { type: "button", onclick: () => { this.#desk.picks.replace(answer.results.filter((r) => r.ok).map((r) => r.id)); close(); } }, t("Keep only those that can be done")) : null,
        el("button", { type: "button", class: "primary", autofocus: true, onclick: close }, t("Close"))));
    document.body.append(dialog);
    dialog.showModal();
  }
}
