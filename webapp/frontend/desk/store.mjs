// What the server told: the filtered list of complaints with its counts, and the crews. Panes listen and draw.
import { ask } from "../common/dom.mjs";

const PAGE = 100;
const REFRESH_LIMIT = 300;

/** The list of complaints for the current filters, loaded page by page and refreshed in place. */
export class Complaints extends EventTarget {
  rows = [];
  total = null;
  counts = {};
  next = null;
  state = "loading"; // loading | ready | error
  problem = null;
  #view;
  #turn = 0;
  #stop = new AbortController();
  #queue = Promise.resolve();
  #waiting = new Set();

  constructor(view) {
    super();
    this.#view = view;
  }

  get(id) {
    return this.rows.find((row) => String(row.id) === String(id));
  }

  /** Start over: the filters or the order changed. Whatever was still being asked is of no use any more. */
  load() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#turn += 1;
    this.#waiting.clear();
    this.state = "loading";
    this.rows = [];
    this.next = null;
    this.#tell();
    this.#queue = Promise.resolve();
    return this.#after("load", () => ({ limit: PAGE }));
  }

  /** The next page. */
  more() {
    return this.#after("more", () => (this.next ? { limit: PAGE, after: this.next } : null));
  }

  /** The same rows again, as they are now; the page does not blink. */
  refresh() {
    return this.#after("refresh", () => ({ limit: Math.min(Math.max(this.rows.length, PAGE), REFRESH_LIMIT), keep: this.state === "ready" }));
  }

  /** One request after the other, so that a refresh never takes the place of a page; the same wish twice waits once. */
  #after(name, job) {
    if (this.#waiting.has(name)) return this.#queue;
    this.#waiting.add(name);
    const turn = this.#turn;
    this.#queue = this.#queue.then(() => {
      if (turn !== this.#turn) return undefined;
      this.#waiting.delete(name);
      const asked = job();
      return asked ? this.#fetch(asked) : undefined;
    });
    return this.#queue;
  }

  async #fetch({ limit, after, keep = false }) {
    const { signal } = this.#stop;
    const query = new URLSearchParams(this.#view.query());
    query.set("sort", this.#view.sort);
    query.set("limit", limit);
    if (after) query.set("after", after);
    try {
      const found = await ask(`/complaints.json?${query}`, { signal });
      if (signal.aborted) return;
      this.#take(found, { after, keep });
      this.state = "ready";
      this.problem = null;
    } catch (problem) {
      if (signal.aborted) return;
      if (!keep && !after) { this.state = "error"; this.problem = problem; }
    }
    this.#tell();
  }

  #take(found, { after, keep }) {
    this.total = found.total;
    this.counts = found.counts;
    if (after) {
      const known = new Set(this.rows.map((row) => row.id));
      this.rows = [...this.rows, ...found.rows.filter((row) => !known.has(row.id))];
    } else if (keep && this.rows.length > found.rows.length && found.next) {
      const fresh = new Set(found.rows.map((row) => row.id));
      this.rows = [...found.rows, ...this.rows.slice(found.rows.length).filter((row) => !fresh.has(row.id))];
      return; // the cursor of the last page loaded stays the one to go on from
    } else {
      this.rows = found.rows;
    }
    this.next = found.next;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/** How much is open, due soon and overdue in the whole scope, whatever the filters are. */
export class Totals extends EventTarget {
  counts = null;

  async load() {
    try {
      this.counts = (await ask("/complaints.json?status=open&limit=1")).counts;
      this.dispatchEvent(new Event("change"));
    } catch {
      this.dispatchEvent(new Event("change")); // the last figures stay; the connection's own light says that they are old
    }
  }
}

/** All crews of the person's scope. */
export class Crews extends EventTarget {
  rows = [];
  state = "loading";
  problem = null;

  get(id) {
    return this.rows.find((row) => String(row.id) === String(id));
  }

  async load() {
    try {
      const found = await ask("/crews.json");
      this.rows = Array.isArray(found) ? found : found.crews;
      this.state = "ready";
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
      if (this.state !== "ready") this.state = "error";
    }
    this.dispatchEvent(new Event("change"));
  }
}
