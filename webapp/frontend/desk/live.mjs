// What others change appears by itself: the journal is asked every two seconds, and whoever listens refreshes what is touched.
import { ask } from "../common/dom.mjs";

const EVERY_MS = 2000;
const SLOWEST_MS = 30_000;

/** Dispatches `change` (detail: the journal's rows) and `connection` (detail: "live" | "lost" | "signed_out" | "paused"). */
export class Live extends EventTarget {
  state = "live";
  #cursor = null;
  #wait = EVERY_MS;
  #timer = null;
  #asking = false;

  /** Take the cursor first and load the page after it: nothing between the two is missed. */
  async start() {
    await this.#ask();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) { clearTimeout(this.#timer); this.#say("paused"); }
      else this.now();
    });
    addEventListener("online", () => this.now());
  }

  /** Ask at once. */
  now() {
    clearTimeout(this.#timer);
    this.#wait = EVERY_MS;
    return this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      let more = true;
      while (more) more = await this.#page();
      this.#wait = EVERY_MS;
      this.#say("live");
    } catch (problem) {
      this.#wait = Math.min(this.#wait * 2, SLOWEST_MS);
      this.#say(problem.status === 401 ? "signed_out" : "lost");
    } finally {
      this.#asking = false;
    }
    clearTimeout(this.#timer);
    if (!document.hidden && this.state !== "signed_out") this.#timer = setTimeout(() => this.#ask(), this.#wait);
  }

  async #page() {
    const answer = await ask(this.#cursor === null ? "/changes.json" : `/changes.json?after=${this.#cursor}`);
    this.#cursor = answer.cursor;
    if (answer.rows.length) this.dispatchEvent(new CustomEvent("change", { detail: answer.rows }));
    return answer.more;
  }

  #say(state) {
    if (state === this.state) return;
    const back = this.state === "lost" && state === "live";
    this.state = state;
    this.dispatchEvent(new CustomEvent("connection", { detail: { state, back } }));
  }
}
