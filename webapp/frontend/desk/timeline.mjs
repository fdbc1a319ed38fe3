// What happened to a complaint, in words, newest first.
import { el } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { exact, relative } from "./clock.mjs";

/** One list item per journal row. `crewName(id)` knows the crews. */
export function timelinePart(entries, crewName) {
  if (!entries?.length) return el("p", { class: "soft" }, t("Nothing has been written down yet."));
  return el("ol", { class: "timeline" }, ...[...entries].reverse().map((entry) => el("li", { class: `verb-${entry.verb}` },
    el("div", { class: "row" }, el("strong", {}, word("verb", entry.verb)), entry.who ? el("span", { class: "soft" }, entry.who) : null, el("span", { class: "spacer" }),
      el("time", { class: "small soft", datetime: entry.at, title: exact(entry.at) }, relative(entry.at))),
    ...about(entry.data ?? {}, crewName).map((text) => el("div", { class: "small" }, text)))));
}

/** The journal's data as sentences; what is only for machines is left out. */
function about(data, crewName) {
  const told = [];
  const crew = data.crew ?? crewName(data.crew_id);
  if (crew || data.order_no) told.push([crew, data.order_no].filter(Boolean).join(" · "));
  if (data.channel) told.push(t("Channel: %(channel)s", { channel: word("channel", data.channel) }));
  if (data.reason) told.push(t("Reason: %(reason)s", { reason: word("reason", data.reason) }));
  if (data.override_reason) told.push(t("Sent all the same: %(reason)s", { reason: data.override_reason }));
  if (data.purpose) told.push(t("Purpose: %(purpose)s", { purpose: word("purpose", data.purpose) }));
  if (data.note) told.push(data.note);
  return told;
}
