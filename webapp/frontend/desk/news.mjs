// The bell: what others did while somebody looked elsewhere, newest first, each a way to the complaint it is about.
import { el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { exact, relative } from "./clock.mjs";

const KEPT = 40;
const QUIET = new Set(["unmask", "renew_deadline"]);

/** Draws the bell into `button` and its list into `panel`. `find(id)` knows a complaint's card, `open(id)` selects it. */
export class News {
  #button; #panel; #find; #open; #rows = []; #unseen = 0;

  constructor({ button, panel, find, open }) {
    this.#button = button; this.#panel = panel; this.#find = find; this.#open = open;
    button.addEventListener("click", () => (panel.hidden ? this.#show() : this.close()));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); button.focus(); } });
    document.addEventListener("click", (event) => { if (!panel.hidden && !event.composedPath().some((node) => node === panel || node === button)) this.close(); });
    this.#count();
  }

  /** Rows of the journal: those of complaints that somebody else changed are news. */
  take(rows) {
    const fresh = rows.filter((row) => row.thing === "complaint" && !row.mine && !QUIET.has(row.verb));
    if (!fresh.length) return;
    this.#rows = [...fresh.reverse(), ...this.#rows].slice(0, KEPT);
    this.#unseen += fresh.length;
    if (this.#panel.hidden) this.#count();
    else this.#show();
  }

  close() {
    this.#panel.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
  }

  #show() {
    this.#unseen = 0;
    this.#count();
    this.#panel.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    fill(this.#panel, el("h2", {}, t("What others did")), this.#rows.length
      ? el("ul", {}, ...this.#rows.map((row) => this.#item(row)))
      : el("p", { class: "soft" }, t("Nothing yet since this page was opened.")));
    this.#panel.querySelector("button")?.focus();
  }

  #item(row) {
    const card = this.#find(row.thing_id);
    return el("li", {}, el("button", { type: "button", class: "quiet", onclick: () => { this.close(); this.#open(row.thing_id); } },
      el("strong", {}, word("verb", row.verb)), el("span", {}, card?.place || t("Complaint %(id)s", { id: row.thing_id })),
      el("time", { class: "small soft", datetime: row.at, title: exact(row.at) }, relative(row.at))));
  }

  #count() {
    const words = this.#unseen ? t("What others did: %(n)s new", { n: this.#unseen }) : t("What others did");
    this.#button.setAttribute("aria-label", words);
    this.#button.title = words;
    this.#button.querySelector("b").textContent = this.#unseen ? (this.#unseen > 99 ? "99+" : this.#unseen) : "";
  }
}
