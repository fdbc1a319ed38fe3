// What others change appears by itself: the server keeps `/events` open and tells each change as it is committed. Where that
// is not possible (a proxy that holds streams back, too many screens) the journal is asked every two seconds instead.
import { ask } from "../common/dom.mjs";

const EVERY_MS = 2000;
const SLOWEST_MS = 30_000;
const HELLO_MS = 10_000; // an open stream that says nothing so long is held back by something on the way
const SILENT_MS = 25_000; // the server beats every ten seconds
const AGAIN_MS = 60_000; // while asking, a stream is tried anew so often

/**
 * Dispatches `change` (detail: the journal's rows), `reload` (too much changed to be told row by row) and `connection`
 * (detail: `{state: "live" | "lost" | "signed_out" | "paused", back}`; before the first, "connecting"). The cursor moves with every event, so that whoever
 * comes back, to this server or to one that was started meanwhile, is told what it missed, once.
 */
export class Live extends EventTarget {
  state = "connecting";
  #cursor = null;
  #source = null;
  #planned = false; // the server said that it is about to end this stream
  #asking = false;
  #wait = EVERY_MS;
  #timer = null; // of the next question, or of the watch over a stream
  #tried = 0;

  /** The cursor first and the page after it: nothing between the two is missed. */
  async start() {
    this.#open();
    const first = new Promise((done) => { for (const kind of ["here", "connection"]) this.addEventListener(kind, done, { once: true }); });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.now()));
    addEventListener("online", () => this.now());
    await first;
  }

  /** Whatever is to be told is wanted at once. A stream that stands tells it anyway. */
  now() {
    if (this.#source?.readyState === EventSource.OPEN || document.hidden) return;
    this.#wait = EVERY_MS;
    this.#open();
  }

  #open() {
    this.#close();
    if (this.state === "signed_out") return;
    this.#tried = Date.now();
    const source = new EventSource(this.#cursor === null ? "/events" : `/events?after=${encodeURIComponent(this.#cursor)}`);
    this.#source = source;
    const on = (kind, take) => source.addEventListener(kind, (event) => {
      if (source !== this.#source) return;
      this.#cursor = event.lastEventId || this.#cursor;
      this.#watch(SILENT_MS);
      take(event);
    });
    on("hello", () => { this.#planned = false; this.#wait = EVERY_MS; this.#here(); });
    on("change", (event) => this.#tell("change", JSON.parse(event.data)));
    on("reload", () => this.#tell("reload"));
    on("beat", () => {});
    on("again", () => { this.#planned = true; });
    source.onerror = () => source === this.#source && this.#broken();
    this.#watch(HELLO_MS);
  }

  /** The stream broke: the browser comes again by itself; where it gave up, or a second time in a row, the server is asked. */
  #broken() {
    if (this.#planned) { this.#planned = false; this.#watch(HELLO_MS); return; }
    const before = this.state;
    this.#say("lost");
    if (this.#source.readyState === EventSource.CLOSED || before !== "live") this.#ask();
    else this.#watch(HELLO_MS);
  }

  #watch(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), milliseconds);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #pause() {
    this.#close();
    this.#say("paused");
  }

  /** Ask once, and again, until a stream stands. */
  async #ask() {
    if (this.#asking) return;
    this.#close();
    this.#asking = true;
    try {
      let more = true;
      while (more) more = await this.#page();
      this.#wait = EVERY_MS;
      this.#here();
    } catch (problem) {
      if (problem.status === 422) { this.#cursor = null; this.#tell("reload"); }
      this.#wait = Math.min(this.#wait * 2, SLOWEST_MS);
      this.#say(problem.status === 401 || problem.status === 403 ? "signed_out" : "lost");
    } finally {
      this.#asking = false;
    }
    if (document.hidden || this.state === "signed_out" || this.#source) return;
    const open = this.state === "lost" || Date.now() - this.#tried > AGAIN_MS;
    this.#timer = setTimeout(() => (open ? this.#open() : this.#ask()), this.#wait);
  }

  async #page() {
    const answer = await ask(this.#cursor === null ? "/changes.json" : `/changes.json?after=${encodeURIComponent(this.#cursor)}`);
    this.#cursor = answer.cursor;
    if (answer.reload) this.#tell("reload");
    if (answer.rows.length) this.#tell("change", answer.rows);
    return answer.more;
  }

  #here() {
    this.#say("live");
    this.#tell("here");
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #say(state) {
    if (state === this.state) return;
    const back = this.state === "lost" && state === "live";
    this.state = state;
    this.#tell("connection", { state, back });
  }
}
