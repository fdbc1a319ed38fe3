// The ranked crews of a complaint: minutes, why, what speaks against it, and one click to send them.
import { ask, el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { short } from "./clock.mjs";
import { stopsPart } from "./stops.mjs";
import { unitName } from "./things.mjs";
import { told } from "./told.mjs";

const SHOWN = 9; // as many as there are keys

/** Draws the ranking of one complaint into `root`. `assign(crew, reason)` returns when it is done or throws. */
export class Ranking {
  crews = [];
  #root; #complaint; #assign; #preview; #can; #asking = null; #stale = false; #by = null; #stops = []; #form;

  constructor({ root, complaint, can, assign, preview, form }) {
    this.#root = root; this.#complaint = complaint; this.#can = can; this.#assign = assign; this.#preview = preview; this.#form = form;
  }

  async load() {
    this.#stale = false;
    if (!this.crews.length) fill(this.#root, this.#head(), el("p", { class: "soft" }, t("Looking for crews…")));
    this.#asking?.abort();
    this.#asking = new AbortController();
    try {
      const found = await ask(`/complaints/${this.#complaint.id}/crews.json?limit=10`, { signal: this.#asking.signal });
      this.crews = found.crews;
      this.#by = found.by;
      this.#stops = found.stops ?? [];
      this.#draw();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      fill(this.#root, this.#head(), el("p", { class: "notice error", role: "alert" }, told(problem), " ",
        el("button", { type: "button", onclick: () => this.load() }, t("Try again"))));
    }
  }

  stop() {
    this.#asking?.abort();
    this.#preview(null);
  }

  /** Crews moved or got orders. The order of the rows must not change under a hand that is about to press: offer it. */
  offerRefresh() {
    if (this.#stale || !this.crews.length) return;
    this.#stale = true;
    this.#root.querySelector("[data-refresh]")?.removeAttribute("hidden");
  }

  /** The key of the n-th crew, counted from 1. */
  async choose(n) {
    const crew = this.crews[n - 1];
    const item = this.#root.querySelector(`[data-crew="${crew?.id}"]`);
    if (crew && item && this.#can.assign) await this.#send(crew, item);
  }

  #head() {
    const by = this.#by === "road" ? t("by road time") : this.#by === "straight" ? t("straight line: no road network here") : "";
    return el("div", { class: "row part-head" }, el("h3", {}, t("Crews")), el("span", { class: "small soft" }, by), el("span", { class: "spacer" }),
      this.#can.assign && this.#form ? el("button", { type: "button", class: "quiet small", dataset: { act: "at-a-time" }, onclick: () => this.#form() }, t("At a time…")) : null,
      el("button", { type: "button", class: "quiet small", dataset: { refresh: "" }, hidden: !this.#stale, onclick: () => this.load() }, t("Crews have moved: rank again"), " ", el("kbd", {}, "r")));
  }

  #draw() {
    if (!this.crews.length) {
      return fill(this.#root, this.#head(), stopsPart(this.#stops), el("p", { class: "soft" }, t("No crew is on shift for this. Add one under People, or ask another unit.")));
    }
    return fill(this.#root, this.#head(), stopsPart(this.#stops), el("ol", { class: "ranking" }, ...this.crews.map((crew, at) => this.#item(crew, at + 1))));
  }

  #item(crew, n) {
    const item = el("li", { dataset: { crew: crew.id }, onmouseenter: () => this.#preview(crew), onmouseleave: () => this.#preview(null),
      onfocusin: () => this.#preview(crew) });
    const forced = crew.violations.length > 0;
    fill(item,
      el("span", { class: "rank" }, n <= SHOWN ? el("kbd", {}, n) : n),
      el("div", { class: "grow" },
        el("div", { class: "row crew-name" }, el("strong", {}, crew.name), el("span", { class: "small soft" }, [word("kind", crew.kind), unitName(crew.unit)].filter(Boolean).join(" · "))),
        el("ul", { class: "why" },
          ...crew.violations.map((text) => el("li", { class: "against" }, el("span", { class: "visually-hidden" }, t("Against it: ")), text)),
          ...crew.reasons.map((text) => el("li", {}, text)))),
      el("div", { class: "crew-act" }, this.#minutes(crew),
        this.#can.assign && !crew.refused ? el("button", { type: "button", class: forced ? "" : "primary", dataset: { assign: crew.id }, onclick: () => this.#send(crew, item) },
          forced ? t("Assign anyway…") : t("Assign")) : null,
        this.#can.assign && crew.refused ? el("span", { class: "chip red", title: crew.violations.join("; ") }, t("Cannot be sent")) : null));
    return item;
  }

  #minutes(crew) {
    if (crew.minutes === null || crew.minutes === undefined) return el("span", { class: "minutes" }, "—");
    const until = crew.slot ? t("Planned %(start)s – %(end)s", { start: short(crew.slot.start), end: short(crew.slot.end) }) : null;
    return el("span", { class: "minutes", title: until }, el("b", {}, Math.round(crew.minutes)), t("min"),
      el("small", {}, `${crew.by === "straight" ? "≈ " : ""}${(crew.metres / 1000).toFixed(1)} km`));
  }

  async #send(crew, item, reason) {
    if (crew.refused) { // blacklisted, or its works here are stopped: no reason helps
      if (!item.querySelector(".notice")) item.append(el("p", { class: "notice error", role: "alert" }, crew.violations.join("; ")));
      return undefined;
    }
    if (crew.violations.length && !reason) return this.#askReason(crew, item, crew.violations);
    const buttons = item.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      await this.#assign(crew, reason);
    } catch (problem) {
      for (const button of buttons) button.disabled = false;
      if (problem.code === "violation_not_overridden") return this.#askReason(crew, item, [problem.message]);
      throw problem;
    }
    return undefined;
  }

  /** A crew that does not fit may be sent with a reason, which is kept with the order. */
  #askReason(crew, item, violations) {
    item.querySelector("form")?.remove();
    if (!this.#can.override) {
      item.append(el("p", { class: "notice error" }, t("You may not send a crew that does not fit: %(why)s", { why: violations.join("; ") })));
      return;
    }
    const input = el("input", { required: true, minlength: 2, maxlength: 200, placeholder: t("Why all the same?"), "aria-label": t("Why all the same?") });
    const form = el("form", { class: "row override", onsubmit: (event) => {
      event.preventDefault();
      this.#send(crew, item, input.value.trim()).catch(() => {});
    } }, el("p", { class: "small" }, violations.join("; ")), input,
    el("button", { class: "primary" }, t("Assign with this reason")), el("button", { type: "button", class: "quiet", onclick: () => form.remove() }, t("Cancel")));
    item.append(form);
    input.focus();
  }
}
