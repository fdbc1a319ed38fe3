// A form on the phone, one page at a time, kept at every tap as the six pledges are.
import { el, fill } from "/frontend/common/dom.mjs";
import { language, t } from "/frontend/common/words.mjs";
import { db, watch } from "./db.mjs";
import { addPhotos, markOpen, photosOf, put, set } from "./drafts.mjs";
import { formProgress, itemsOf, pagesOf, silent, told } from "./form_rules.mjs";
import { FormView } from "./form_view.mjs";
import { bar, head } from "./frame.mjs";
import { localNow } from "./lists.mjs";
import { icon, ring } from "./parts.mjs";
import { follow, lastPosition } from "./position.mjs";

/** The screen of one page of a form. */
export async function open(main, draft, list, page) {
  const { form } = list;
  const pages = pagesOf(form);
  const number = Math.min(Math.max(1, page), pages.length);
  await markOpen(draft.id);
  await set(draft.id, { page: number });
  main.className = "check form";
  const [steps, body] = [el("nav", { class: "steps", "aria-label": t("Pages of the form") }), el("div", { class: "form-page" })];
  const title = el("h2", {}, `${number} · ${told(pages[number - 1].label, language, form.default_language) || list.name}`);
  const view = new FormView(body, form, number, {
    now: localNow, locate: async () => lastPosition(), put: (name, patch) => put(draft.id, name, patch),
    shoot: (name, files) => addPhotos(draft, name, files),
    sign: async (name, file) => { await db.photos.where({ inspection_id: draft.id, item_id: name }).delete(); await addPhotos(draft, name, [file]); },
  });
  fill(main, pages.length > 1 ? steps : null, title, body, el("p", { class: "notice nothing-asked" }, t("Nothing of this page is asked on this visit.")));
  const after = number < pages.length ? number + 1 : null;
  bar(number > 1 ? el("a", { class: "big button", href: `#/check/${draft.id}/${number - 1}`, "aria-label": t("Previous page of the form") }, icon("back")) : null,
    el("a", { class: "big button primary wide", href: after ? `#/check/${draft.id}/${after}` : `#/check/${draft.id}/end` }, after ? t("Next page of the form") : t("Review and finish"), icon("next")));
  const show = ({ draft: now, photos }) => {
    if (!now || now.state !== "draft") return;
    const whole = view.show(now, photos);
    head(now.title, { back: "#/fill", right: ring(whole.answered, whole.total) });
    fill(steps, pages.map((_, n) => step(form, now, photos, n, number)));
  };
  const stops = [watch(async () => ({ draft: await db.drafts.get(draft.id), photos: await photosOf(draft.id) }), show), follow(() => {})];
  return async () => {
    for (const stop of stops) stop();
    await view.flush();
  };
}

function step(form, draft, photos, n, number) {
  const own = formProgress(form, draft, photos, localNow(), n);
  const answers = itemsOf(form).some((p) => p.page === n && !silent(p.item));
  const state = own.total === 0 ? (answers ? "none" : "done") : own.complete && own.answered ? "done" : own.answered ? "begun" : "";
  return el("a", { href: `#/check/${draft.id}/${n + 1}`, class: state, "aria-current": n + 1 === number ? "step" : null,
    "aria-label": `${n + 1}, ${t("%(answered)s of %(total)s answered", own)}` }, state === "done" ? icon("check", 18) : String(n + 1));
}
