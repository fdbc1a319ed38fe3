// The right pane: the selected thing. For a complaint: what, where, who, the clock, the crews, what happened, what is near.
import { ask, el, fill } from "../common/dom.mjs";
import { CREWS, svg } from "../common/shapes.mjs";
import { t, word } from "../common/words.mjs";
import { callerPart } from "./caller.mjs";
import { clockBar } from "./card.mjs";
import { countdown, exact, short, timeTag } from "./clock.mjs";
import { acceptance, orderActions } from "./orderpart.mjs";
import { Ranking } from "./ranking.mjs";
import { stepsPart } from "./steps.mjs";
import { stopsPart } from "./stops.mjs";
import { layerOf, thingWords, unitName } from "./things.mjs";
import { similarPart } from "./similar.mjs";
import { timelinePart } from "./timeline.mjs";
import { say } from "./toast.mjs";
import { told } from "./told.mjs";
import { positionWords, trackPart } from "./track.mjs";

const ASSIGNABLE = new Set(["received", "signed", "reopened"]);

/** Draws the selection into `root`. `desk` has view, crews, map, can, select(kind, id) and assign(complaint, crew, reason). */
export class Detail {
  complaint = null;
  ranking = null;
  #root; #desk; #turn = 0; #stale = null; #wanted = false; #kept = { track: null };

  constructor({ root, desk }) {
    this.#root = root; this.#desk = desk;
    desk.crews.addEventListener("change", () => this.#shows("crew") && this.#drawCrew());
  }

  /** Show what the view selects now. */
  async show() {
    const { selected } = this.#desk.view;
    const turn = ++this.#turn;
    this.ranking?.stop();
    this.ranking = null;
    this.complaint = null;
    this.#stale = null;
    if (this.#kept.track && selected?.id !== String(this.#kept.track.id)) { this.#kept.track = null; this.#desk.map.trail(null); }
    if (!selected) { this.#desk.map.pick(null); return this.#drawNothing(); }
    this.#root.setAttribute("aria-busy", "true");
    if (selected.kind === "complaint") await this.#load(selected.id, turn);
    else if (selected.kind === "crew") this.#drawCrew(true);
    else await this.#loadThing(selected, turn);
    if (turn === this.#turn) this.#root.removeAttribute("aria-busy");
    return undefined;
  }

  /** The selected complaint changed on the server: draw it again where it is; the crews' order stays until it is asked for. */
  async refresh() {
    if (!this.complaint) return;
    const turn = this.#turn;
    let fresh;
    try { fresh = await ask(`/complaints/${this.complaint.id}.json`); } catch { return; }
    if (turn !== this.#turn) return;
    const shown = this.complaint; // what is shown now: another refresh may have come back before this one
    if (fresh.version < shown.version) return;
    if (fresh.version === shown.version && fresh.order?.version === shown.order?.version) {
      this.#root.querySelector("[data-timeline]")?.replaceWith(this.#timeline(fresh)); // somebody only looked: an unmasking, say
      return;
    }
    const inHand = this.#root.querySelector("form");
    if (inHand && (ASSIGNABLE.has(fresh.status) || inHand.dataset.step)) { this.complaint = { ...fresh, version: shown.version }; return; } // never take a half-filled form away
    this.#take(fresh);
  }

  /** Somebody was faster: show what this page had and what is there now. */
  async showStale(problem) {
    const had = this.complaint;
    const fresh = await ask(`/complaints/${had.id}.json`).catch(() => null);
    if (!fresh) return;
    this.#stale = { had, fresh, message: problem.message };
    this.#take(fresh);
    this.#root.querySelector(".stale")?.focus();
  }

  /** Put the keyboard on the title, as soon as the selected thing is there. */
  focus() {
    const shown = this.#root.querySelector("article");
    this.#wanted = this.#desk.view.selected?.kind === "complaint" && shown?.dataset.complaint !== this.#desk.view.selected.id;
    if (!this.#wanted) this.#root.querySelector("h2")?.focus();
  }

  #shows(kind) {
    return this.#desk.view.selected?.kind === kind;
  }

  async #load(id, turn) {
    if (!this.#root.querySelector(`[data-complaint="${CSS.escape(String(id))}"]`)) fill(this.#root, el("div", { class: "skeleton tall", "aria-label": t("Loading…") }, el("i"), el("i"), el("i")));
    try {
      const found = await ask(`/complaints/${id}.json`);
      if (turn !== this.#turn) return;
      this.#take(found, true);
    } catch (problem) {
      if (turn === this.#turn) this.#drawProblem(problem);
    }
  }

  #take(complaint, move = false) {
    const top = move ? 0 : this.#root.scrollTop;
    const focused = this.#root.contains(document.activeElement);
    this.complaint = complaint;
    this.#drawComplaint(complaint);
    this.#root.scrollTop = top;
    if ((focused && !move) || (this.#wanted && move)) this.focus();
    this.#desk.map.pick(complaint.lon, complaint.lat, `state-${countdown(complaint).state}`);
    if (move) this.#desk.map.goTo(complaint.lon, complaint.lat);
  }

  #drawComplaint(c) {
    this.ranking?.stop();
    this.ranking = null;
    const crewsPart = el("section", { class: "part", "aria-label": t("Crews") });
    fill(this.#root, el("article", { dataset: { complaint: c.id } },
      this.#head(c), this.#staleNotice(), this.#clock(c), this.#facts(c), this.#order(c), this.#steps(c),
      ASSIGNABLE.has(c.status) ? crewsPart : null,
      this.#similar(c), this.#inspections(c),
      this.#timeline(c)));
    if (ASSIGNABLE.has(c.status)) {
      this.ranking = new Ranking({ root: crewsPart, complaint: c, can: this.#desk.can, preview: (crew) => this.#desk.map.preview(crew), form: () => this.#desk.board.form(c.id),
        assign: (crew, reason) => this.#desk.assign(this.complaint, crew, reason) });
      this.ranking.load();
    }
  }

  #head(c) {
    return el("header", { class: "detail-head" },
      el("div", { class: "row" }, el("span", { class: "small soft" }, c.hotline_no), el("span", { class: "chip status" }, word("status", c.status)),
        c.synthetic ? el("span", { class: "synthetic" }, t("Synthetic")) : null, el("span", { class: "spacer" }), this.#closeButton()),
      el("h2", { tabindex: "-1" }, c.category_name),
      el("p", { class: "place" }, el("strong", {}, c.place || t("No place told")), c.district ? el("span", { class: "soft" }, c.district) : null,
        c.located === "located" ? el("button", { type: "button", class: "quiet small", onclick: () => this.#desk.showOnMap(c.lon, c.lat) }, t("Show on the map"))
          : el("span", { class: "chip yellow", title: t("Not on the map: only in this list") }, t("Not located"))),
      c.vulnerable?.length ? el("p", { class: "row", dataset: { vulnerable: "" } }, el("span", { class: "chip orange" }, t("Vulnerable household")),
        ...c.vulnerable.map((mark) => el("span", { class: "chip" }, mark))) : null);
  }

  #closeButton() {
    return el("button", { type: "button", class: "quiet close", "aria-label": t("Close"), title: t("Close (Esc)"), onclick: () => this.#desk.select(null) }, "×");
  }

  #clock(c) {
    return el("section", { class: "part big-clock", "aria-label": t("Time limit") }, clockBar(c, { size: 22 }),
      el("dl", { class: "pairs" },
        el("dt", {}, t("Received")), el("dd", {}, timeTag(el, c.received_at), " · ", exact(c.received_at)),
        el("dt", {}, t("To be closed by")), el("dd", {}, exact(c.resolve_by), " · ", word("complexity", c.complexity)),
        c.calendar_missing ? [el("dt", {}), el("dd", { class: "notice error" }, t("The working calendar of that year is missing: Monday to Friday was assumed."))] : []));
  }

  #facts(c) {
    return el("section", { class: "part" },
      c.description ? el("p", { class: "description" }, c.description) : null,
      el("dl", { class: "pairs" },
        el("dt", {}, t("Caller")), el("dd", {}, callerPart(c, this.#desk.can.unmask)),
        c.channel ? [el("dt", {}, t("Channel")), el("dd", {}, word("channel", c.channel))] : [],
        c.unit ? [el("dt", {}, t("Answering unit")), el("dd", {}, unitName(c.unit))] : []));
  }

  #order(c) {
    const o = c.order;
    if (!o) return null;
    const crew = typeof o.crew === "object" ? o.crew?.name : o.crew;
    return el("section", { class: "part order" }, el("div", { class: "row part-head" }, el("h3", {}, t("Work order")), el("span", { class: "small soft" }, o.order_no),
      el("span", { class: "spacer" }), o.locked ? el("span", { class: "chip" }, t("locked to crew and time")) : null, el("span", { class: "chip" }, word("order", o.status))),
    el("dl", { class: "pairs" },
      el("dt", {}, t("Crew")), el("dd", {}, el("button", { type: "button", class: "link", onclick: () => this.#desk.select("crew", o.crew_id) }, crew)),
      el("dt", {}, t("Planned")), el("dd", {}, `${short(o.start)} – ${short(o.end)}`),
      o.minutes !== null && o.minutes !== undefined ? [el("dt", {}, t("On the way")), el("dd", {}, t("%(m)s min", { m: Math.round(o.minutes) }), o.metres ? ` · ${(o.metres / 1000).toFixed(1)} km` : "")] : []),
    stopsPart(c.stops), acceptance(c, this.#desk), orderActions(c, this.#desk));
  }

  #steps(c) {
    return stepsPart(c, {
      version: () => this.complaint.version,
      done: (verb) => { say(t("%(verb)s: %(place)s", { verb: word("verb", verb), place: c.place || c.hotline_no }), "done"); this.#desk.changed(); },
      failed: async (problem) => {
        if (problem.code === "stale_version" || problem.code === "wrong_step") await this.showStale(problem);
        else { say(told(problem), "error"); this.refresh(); }
      },
    });
  }

  #staleNotice() {
    if (!this.#stale) return null;
    const { had, fresh, message } = this.#stale;
    const row = (name, of) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, of(had) ?? "—"), el("td", {}, of(fresh) ?? "—"));
    return el("section", { class: "part stale notice error", role: "alert", tabindex: "-1" }, el("strong", {}, message),
      el("table", {}, el("thead", {}, el("tr", {}, el("th", {}), el("th", { scope: "col" }, t("What you saw")), el("th", { scope: "col" }, t("What is there now")))),
        el("tbody", {}, row(t("Version"), (c) => c.version), row(t("Status"), (c) => word("status", c.status)), row(t("Crew"), (c) => c.crew?.name),
          row(t("To be closed by"), (c) => exact(c.resolve_by)))));
  }

  #similar(c) {
    return similarPart(c, {
      href: (id) => this.#desk.view.href({ selected: { kind: "complaint", id } }), select: (id) => this.#desk.select("complaint", id), version: () => this.complaint.version,
      done: (other) => { say(t("%(no)s now answers for it too.", { no: other.hotline_no }), "done"); this.#desk.changed(); this.#desk.select("complaint", other.id); },
      failed: async (problem) => { if (problem.code === "stale_version") await this.showStale(problem); else { say(told(problem), "error"); this.refresh(); } },
    });
  }

  #inspections(c) {
    if (!c.inspections?.length) return null;
    return el("section", { class: "part" }, el("h3", {}, t("Inspections")), el("ul", { class: "plain" }, ...c.inspections.map((one) => el("li", {},
      el("a", { href: `/inspections/${one.id}` }, exact(one.finished_at)), el("span", { class: one.no_count ? "chip orange" : "chip green" },
        one.no_count ? t("%(n)s items not kept", { n: one.no_count }) : t("All kept"))))));
  }

  #timeline(c) {
    return el("section", { class: "part", dataset: { timeline: "" } }, el("h3", {}, t("What happened")), timelinePart(c.timeline, (id) => this.#desk.crews.get(id)?.name));
  }

  #drawCrew(move = false) {
    if (!move && this.#root.querySelector(".track form")) return; // never take away what somebody is choosing
    const crew = this.#desk.crews.get(this.#desk.view.selected.id);
    if (!crew) {
      if (this.#desk.crews.state === "ready") this.#drawProblem({ status: 404, message: t("This crew is not here, or it is outside your area.") });
      return;
    }
    const now = this.#desk.store.rows.filter((row) => String(row.crew?.id) === String(crew.id));
    fill(this.#root, el("article", {}, el("header", { class: "detail-head" },
      el("div", { class: "row" }, svg(CREWS[crew.state] ?? CREWS.stale, { size: 20 }), el("span", { class: "chip" }, word("state", crew.state)), el("span", { class: "spacer" }), this.#closeButton()),
      el("h2", { tabindex: "-1" }, crew.name),
      el("p", {}, el("button", { type: "button", class: "quiet small", onclick: () => this.#desk.showOnMap(crew.lon, crew.lat) }, t("Show on the map")))),
    el("section", { class: "part" }, el("dl", { class: "pairs" },
      el("dt", {}, t("Kind")), el("dd", {}, word("kind", crew.kind)),
      crew.unit ? [el("dt", {}, t("Unit")), el("dd", {}, unitName(crew.unit))] : [],
      el("dt", {}, t("Skills")), el("dd", {}, crew.skills.map((skill) => word("skill", skill)).join(t(", ")) || "—"),
      el("dt", {}, t("Orders")), el("dd", {}, crew.load),
      el("dt", {}, t("Position")), el("dd", {}, ...positionWords(crew), crew.position_at ? ` · ${exact(crew.position_at)}` : ""),
      crew.seen_at ? [el("dt", {}, t("Its phone called")), el("dd", {}, timeTag(el, crew.seen_at))] : [])),
    crew.state === "silent" ? el("section", { class: "part" }, el("p", { class: "notice error", role: "status" }, t("Silent: at work, and no sign of it for a while. Call the crew."))) : null,
    this.#desk.can.track ? trackPart(crew, this.#desk.map, this.#kept) : null,
    now.length ? el("section", { class: "part" }, el("h3", {}, t("On its way to")), el("ul", { class: "plain" }, ...now.map((row) => el("li", {},
      el("button", { type: "button", class: "link", onclick: () => this.#desk.select("complaint", row.id) }, row.place || row.hotline_no), el("span", { class: "small soft" }, word("status", row.status)))))) : null));
    this.#desk.map.pick(crew.lon, crew.lat);
    if (move) this.#desk.map.goTo(crew.lon, crew.lat, 14);
  }

  async #loadThing({ kind, id }, turn) {
    const layer = layerOf(kind);
    try {
      const found = layer ? (await ask(`/layers/${layer}.json?id=${encodeURIComponent(id)}`)).rows[0] : null;
      if (turn !== this.#turn) return;
      if (!found) return this.#drawProblem({ status: 404, message: t("This is not here any more.") });
      this.#drawThing(kind, layer, found);
    } catch (problem) {
      if (turn === this.#turn) this.#drawProblem(problem);
    }
  }

  #drawThing(kind, layer, thing) {
    fill(this.#root, el("article", {}, el("header", { class: "detail-head" },
      el("div", { class: "row" }, el("span", { class: "chip" }, word("layer", layer)), thing.synthetic ? el("span", { class: "synthetic" }, t("Synthetic")) : null, el("span", { class: "spacer" }), this.#closeButton()),
      el("h2", { tabindex: "-1" }, thing.name),
      el("p", {}, el("button", { type: "button", class: "quiet small", onclick: () => this.#desk.showOnMap(thing.lon, thing.lat) }, t("Show on the map")),
        ["pipeline", "station"].includes(kind) ? el("a", { class: "button small", href: `/trace?thing=${kind === "station" ? "station" : "pipe"}&id=${thing.id}` }, t("Trace from here")) : null)),
    el("section", { class: "part" }, el("ul", { class: "plain" }, ...thingWords(kind, thing).map((text) => el("li", {}, text)), el("li", { class: "small soft" }, thing.code)))));
    this.#desk.map.pick(thing.lon, thing.lat);
    this.#desk.map.goTo(thing.lon, thing.lat);
  }

  #drawNothing() {
    fill(this.#root, el("div", { class: "empty" }, el("strong", {}, t("Nothing is selected")), t("Choose a complaint in the list or on the map."),
      el("p", { class: "small" }, el("kbd", {}, "j"), " ", el("kbd", {}, "k"), " ", t("next, previous"), " · ", el("kbd", {}, "?"), " ", t("all keys"))));
  }

  #drawProblem(problem) {
    fill(this.#root, el("div", { class: "empty", role: "alert" }, el("strong", {}, t("This cannot be shown")), told(problem),
      el("p", {}, el("button", { type: "button", onclick: () => this.show() }, t("Try again")), " ", el("button", { type: "button", class: "quiet", onclick: () => this.#desk.select(null) }, t("Close")))));
  }
}
