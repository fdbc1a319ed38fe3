// The visits of today in the order of the route: where, who should be there and what they must show, what was found last time.
import { el } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { button, chip, moment } from "./parts.mjs";

const UNFIT = ["expired", "not_yet", "missing"];

/** The section of the day's list; a visit begins the checklist of its site. */
export function visitSection(visits, drafts, begin) {
  if (!visits.length) return null;
  const begun = new Map(drafts.filter((d) => d.site_id).map((d) => [d.site_id, d.state]));
  return el("section", { class: "visits-today" }, el("h2", {}, t("Sites to inspect today"), el("span", { class: "count" }, String(visits.length))),
    visits.map((visit, at) => card(visit, at + 1, begun.get(visit.site.id), begin)));
}

function card(visit, at, state, begin) {
  const { site } = visit;
  const done = visit.status === "done" || state === "sent";
  const unfit = visit.people.filter((person) => UNFIT.includes(person.fit));
  return el("article", { class: `item ${done ? "green" : "grey"}`, dataset: { key: `visit-${visit.id}` } },
    el("strong", {}, `${visit.stop_no ?? at}. ${site.name}`),
    el("span", { class: "line" }, [site.contractor, site.area, site.address, site.door_no].filter(Boolean).join(" · ")),
    el("span", { class: "line" }, visit.travel_s ? t("%(n)s min on the way", { n: Math.max(1, Math.round(visit.travel_s / 60)) }) : null),
    el("span", { class: "chips" }, chip(word("scope", site.scope)), chip(word("stage", site.stage)), visit.surprise ? chip(t("surprise"), "orange") : null,
      done ? chip(word("visit_status", "done"), "green") : state ? chip(t(state === "ready" ? "to send" : "draft")) : null,
      unfit.length ? chip(t("%(n)s uncertified", { n: unfit.length }), "red") : null),
    el("span", { class: "line" }, visit.last ? `${t("Last time")} ${moment(visit.last.at)}${t(": ")}${visit.last.noes.length ? t("not kept: %(items)s", { items: visit.last.noes.join(" ") }) : t("everything kept")}` : t("never checked by the bureau")),
    people(visit.people),
    done ? null : button(t("Begin the inspection"), () => begin(site)));
}

function people(found) {
  if (!found.length) return null;
  return el("details", {}, el("summary", {}, t("People on site"), ` ${found.length}`),
    el("ul", {}, found.map((person) => el("li", {}, `${person.name} · ${word("trade", person.trade)} · ${word("certificate", person.needs)}${t(": ")}`,
      chip(word("fit", person.fit), { valid: "green", expiring: "yellow" }[person.fit] ?? "red"),
      ...person.certificates.map((c) => el("div", { class: "soft" }, `${word("certificate", c.kind)} ${c.no} ${c.valid_to ?? ""}`))))));
}
