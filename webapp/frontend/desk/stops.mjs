// Orders to stop works (停工令) that hold where a complaint is: told before a crew is chosen, with the way to the finding.
import { el } from "../common/dom.mjs";
import { t } from "../common/words.mjs";

/** One notice for each order, or nothing. */
export const stopsPart = (stops = []) => stops.map((stop) => el("p", { class: "notice error", role: "status", dataset: { stop: stop.no } },
  el("strong", {}, stop.text), " ", stop.whom, " ", stop.finding ? el("a", { href: stop.finding }, t("The finding")) : null));
