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
    ...about(entry, crewName).map((text) => el("div", { class: "small" }, text)))));
}

/** The journal's data as sentences; what is only for machines is left out. `told` are the server's words for most of it. */
function about({ data = {}, told = [] }, crewName) {
  const crew = data.crew ?? crewName(data.crew_id);
  return [crew, data.override_reason ? t("Sent all the same: %(reason)s", { reason: data.override_reason }) : null, ...told].filter(Boolean);
}
