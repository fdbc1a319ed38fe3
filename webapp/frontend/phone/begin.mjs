// Starting a checklist: go on with the one that is open, or say where and when in the works this visit is.
import { el, fill } from "/frontend/common/dom.mjs";
import { t, word } from "/frontend/common/words.mjs";
import { db } from "./db.mjs";
import { start } from "./drafts.mjs";
import { button, choices, moment, sheet, toast } from "./parts.mjs";
import { itemsOf } from "./form_rules.mjs";
import { offeredLists, titleOf } from "./lists.mjs";
import { SCOPES, STAGES, asked } from "./rules.mjs";

/** Start a checklist about an order or a site, and go to it. */
export async function begin(about) {
  const lists = offeredLists(await db.checklists.toArray(), about).filter((list) => list.kind !== "visit");
  if (!lists.length) return toast(t("The checklists are not on this phone yet; they come with the next sync."), "error");
  const mine = about.order_id ? db.drafts.where("order_id").equals(about.order_id) : db.drafts.where("site_id").equals(about.site_id);
  const open = (await mine.toArray()).find((draft) => draft.state === "draft");
  const chosen = await choose(about, lists, open);
  if (!chosen) return;
  const draft = chosen === "on" ? open : await start({ ...about, scope: chosen.scope, stage: chosen.stage }, chosen.list);
  location.hash = `#/check/${draft.id}/${draft.page}`;
}

/** Start the steps of a standard visit on an order, or go on with them. */
export async function beginVisit(about, list) {
  const mine = await db.drafts.where("order_id").equals(about.order_id).toArray();
  const open = mine.find((draft) => draft.state === "draft" && draft.checklist_code === list.code);
  const draft = open ?? await start({ ...about, scope: null, stage: null, title: `${titleOf(list)} · ${about.title}` }, list);
  location.hash = `#/check/${draft.id}/${draft.page}`;
}

function choose(about, lists, open) {
  const visit = { scope: about.scope, stage: about.stage, heating: about.heating };
  let list = lists[0];
  return sheet(about.title, (close) => {
    const box = el("div", { class: "stack" });
    const draw = () => fill(box,
      lists.length > 1 ? choices(t("Checklist"), lists.map((l) => [l.code, l.name]), list.code, (code) => { list = lists.find((l) => l.code === code); draw(); }) : null,
      list.form ? el("p", { class: "soft" }, t("Items in this list: %(n)s", { n: itemsOf(list.form).length })) : [el("p", { class: "label" }, t("Where are the works?")),
      choices(t("Where are the works?"), SCOPES.map((s) => [s, word("scope", s)]), visit.scope, (s) => { visit.scope = s; draw(); }),
      el("p", { class: "label" }, t("How far are they?")),
      choices(t("How far are they?"), STAGES.map((s) => [s, word("stage", s)]), visit.stage, (s) => { visit.stage = s; draw(); }),
      el("p", { class: "soft" }, t("Items on six pages: %(n)s", { n: asked(list.items, visit).length }))]);
    draw();
    return [
      open ? el("div", { class: "stack" }, button(t("Go on with the draft of %(time)s", { time: moment(open.started_at) }), () => close("on"), { kind: "primary" })) : null,
      box, el("div", { class: "stack" }, button(open ? t("Start another one") : t("Start"), () => close({ ...visit, list }), { kind: open ? "" : "primary" }), button(t("Back"), () => close(null), { kind: "quiet" })),
    ];
  });
}
