// Proofs of work for sending: begun while somebody is still typing, ready when they press the button, each used once.

const EARLY_MS = 60_000; // one that ends so soon is made again

export class Proof {
  #made = null;
  #worker = null;

  /** A solved proof `{token, answers}`; made now, or while somebody typed. `told(part)` hears how far it is, 0 to 1. */
  async ready(told = () => {}) {
    if (!this.#made || this.#made.until - EARLY_MS < performance.now()) this.begin();
    this.#made.told = told;
    try {
      return await this.#made.promise;
    } catch (error) {
      this.#made = null;
      throw error;
    }
  }

  begin() {
    if (this.#made && this.#made.until - EARLY_MS > performance.now()) return;
    const made = { until: Infinity, told: () => {} };
    made.promise = this.#solve(made);
    made.promise.catch(() => {});
    this.#made = made;
  }

  /** It was used, or the server did not want it: the next one is another. */
  spent() {
    this.#made = null;
  }

  async #solve(made) {
    const reply = await fetch("/public/challenge.json", { headers: { Accept: "application/json" }, cache: "no-store" });
    const challenge = await reply.json();
    if (!reply.ok) throw Object.assign(new Error(challenge.detail), { code: challenge.code, told: true });
    made.until = performance.now() + challenge.seconds * 1000;
    const answers = await this.#work(challenge, made);
    return { token: challenge.token, answers: answers.join(",") };
  }

  #work(challenge, made) {
    this.#worker?.terminate();
    const worker = new Worker("/frontend/public/proof-worker.js");
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.answers) {
          worker.terminate();
          resolve(data.answers);
        } else made.told(data.done / data.parts);
      };
      worker.onerror = () => reject(new Error("worker"));
      worker.postMessage({ nonce: challenge.nonce, parts: challenge.parts, bits: challenge.bits });
    });
  }
}
