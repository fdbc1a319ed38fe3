// Open complaints that may be the same matter as the selected one: why, and joining them by one click.
import { ask, el } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";

const REASONS = {
  same_caller: () => t("the same telephone number"),
  near: (r) => t("%(n)s m away", { n: r.metres }),
  same_place: () => t("the same place"),
  same_category: () => t("the same category"),
  words: (r) => t("both say “%(words)s”", { words: r.pieces.join(" / ") }),
};

/** A reason as the server gives it, in the page's language. */
export function reasonWords(reason) {
  return REASONS[reason.code](reason);
}

/** The section, or null where nothing is similar. `select(id)` shows another, `done()` and `failed(problem)` tell how joining went. */
export function similarPart(c, { href, select, version, done, failed }) {
  if (!c.similar?.length) return null;
  const mayMerge = (c.steps ?? []).includes("merge");
  const join = async (other, button) => {
    button.disabled = true;
    try {
      await ask(`/complaints/${c.id}/steps`, { method: "POST", body: { verb: "merge", base_version: version(), into: other.id } });
      done(other);
    } catch (problem) {
      button.disabled = false;
      await failed(problem);
    }
  };
  const row = (other) => el("li", {},
    el("a", { href: href(other.id), onclick: (event) => { event.preventDefault(); select(other.id); } }, other.place || other.hotline_no),
    el("span", { class: "small soft" }, [...other.reasons.map(reasonWords), word("status", other.status)].join(" · ")),
    other.callers > 1 ? el("span", { class: "chip" }, t("%(n)s callers", { n: other.callers })) : null,
    mayMerge ? el("button", { type: "button", class: "quiet small", onclick: (event) => join(other, event.currentTarget) }, t("Merge into it")) : null);
  return el("section", { class: "part" }, el("h3", {}, t("Similar open complaints")), el("ul", { class: "plain" }, ...c.similar.map(row)));
}
