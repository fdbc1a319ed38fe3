// After a crash: the checklist that was on the screen is still there. Go on with it, or throw it away.
import { el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { checklistOf, discard, markOpen, photosOf } from "./drafts.mjs";
import { button, moment, ring, sheet, sure } from "./parts.mjs";
import { progress } from "./rules.mjs";

/** Ask what becomes of an interrupted draft. Turning away keeps it among the drafts. */
export async function ask(draft) {
  const list = await checklistOf(draft);
  const photos = await photosOf(draft.id);
  const { answered, total } = progress(list?.items ?? [], draft, photos);
  const choice = await sheet(t("The app was closed in the middle"), (close) => [
    el("div", { class: "row top" }, ring(answered, total),
      el("div", { class: "grow" }, el("strong", {}, draft.title),
        el("p", { class: "soft" }, t("Last answer %(time)s · photos: %(n)s", { time: moment(draft.touched_at), n: photos.length })))),
    el("div", { class: "stack" },
      button(t("Go on"), () => close("on"), { kind: "primary" }),
      button(t("Discard"), () => close("discard"), { kind: "danger quiet" })),
  ]);
  await markOpen(null);
  if (choice === "on") location.hash = `#/check/${draft.id}/${draft.page}`;
  const text = t("Lost for good: answers %(answered)s, photos %(n)s.", { answered, n: photos.length });
  if (choice === "discard" && (await sure(t("Discard this checklist?"), text, t("Discard")))) await discard(draft.id);
}
