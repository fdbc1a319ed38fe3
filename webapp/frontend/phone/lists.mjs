// Checklists of both kinds under one name: the six pledges (items) and forms (pages of items of many types).
import { language } from "/frontend/common/words.mjs";
import { aheadOf, dayOf, now, timeOf } from "./clock.mjs";
import { formProgress, pagesOf, told } from "./form_rules.mjs";
import { itemText } from "./names.mjs";
import { progress } from "./rules.mjs";

/** The moment by the bureau's wall clock, as expressions want it: 2009-11-17T10:00:00+08:00. */
export function localNow() {
  const at = now();
  return `${dayOf(at)}T${timeOf(at)}${aheadOf(at)}`;
}

/** Where a checklist stands: answered of total, what is lacking, which were answered "no". */
export const stateOf = (list, draft, photos) => (list.form ? formProgress(list.form, draft, photos, localNow()) : progress(list.items, draft, photos));

/** The number of its last page. */
export const lastPage = (list) => (list.form ? pagesOf(list.form).length : 6);

/** The page on which an item stands. */
export const pageOf = (list, { item, page }) => (list.form ? page + 1 : item.pledge_no);

/** How an item is called. */
export const nameOf = (list, item) => (list.form ? told(item.label, language, list.form.default_language) || item.name : itemText(item));

/** An item's number, where it has one. */
export const numberOf = (list, item) => (list.form ? "" : item.id);

/** How a list is called: a list of steps in the reader's language, where it has a name in it. */
export const titleOf = (list) => (list.kind === "visit" && told(list.form.children[0]?.label, language)) || list.name;

/** The lists that an order or a site is offered; step lists only where they are for its category. */
export function offeredLists(lists, about) {
  const fits = (list) => (list.for_categories ?? []).includes(about.category);
  return lists.filter((list) => list.current && (list.kind === "visit" ? Boolean(about.order_id) && fits(list) : !list.for_categories?.length || fits(list)));
}
