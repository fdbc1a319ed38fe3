// A form as the server's `gis/inspections/forms.py` has it: what is asked, what is lacking, where it stands. Pure.
import { holds, string, value } from "./expressions.mjs";

const PASSES = 6;
const SILENT = new Set(["note", "calculate", "meta", "beyond"]);
const PICTURES = new Set(["photo", "signature"]);
const DATES = new Set(["date", "datetime"]);
export const SIGNED = ".signature"; // a signature that an answer must carry is a picture of `<item>.signature`
const CALLED = { zh: ["zh", "cn", "chinese", "中文", "汉语", "简体中文"], en: ["en", "english", "英文", "英语"] };

/** A text in the reader's language, else in the form's own, else in any. */
export function told(text, language, otherwise = "") {
  const named = Object.entries(text ?? {}).find(([name]) => name.toLowerCase().split(/[\s()\-_]+/).some((part) => CALLED[language].includes(part)));
  return named?.[1] ?? text?.[otherwise] ?? text?.[""] ?? Object.values(text ?? {})[0] ?? "";
}

/** The pages: a group at the top is one; items that stand alone between two groups are one together. */
export function pagesOf(form) {
  const made = [];
  for (const child of form.children) {
    if (child.children) made.push({ ...child, loose: false });
    else if (made.at(-1)?.loose) made.at(-1).children = [...made.at(-1).children, child];
    else made.push({ name: "", label: {}, relevant: "", children: [child], loose: true });
  }
  return made;
}

/** Every item with its page (from nought) and the conditions of the groups around it. */
export function itemsOf(form) {
  const within = (group, page, outer) => {
    const conditions = group.relevant ? [...outer, group.relevant] : outer;
    return group.children.flatMap((child) => (child.children ? within(child, page, conditions) : [{ item: child, page, conditions }]));
  };
  return pagesOf(form).flatMap((page, n) => within(page, n, []));
}

/** What nobody answers. */
export const silent = (item) => SILENT.has(item.type);

const said = (given) => given?.answer || given?.value || "";

/** Where a form stands: the value of every item as a text, and the names of those that are asked. Calculations included. */
export function standing(form, answers, now) {
  const placed = itemsOf(form);
  const dates = new Set(placed.filter(({ item }) => DATES.has(item.type)).map(({ item }) => item.name));
  let values = Object.fromEntries(placed.map(({ item }) => [item.name, said(answers[item.name])]));
  let asked = new Set(Object.keys(values));
  for (let pass = 0; pass < PASSES; pass += 1) {
    const ground = { values, dates, now };
    const [fresh, there] = [{}, new Set()];
    for (const { item, conditions } of placed) {
      const is = [...conditions, item.relevant].filter(Boolean).every((condition) => holds(condition, ground));
      if (is) there.add(item.name);
      fresh[item.name] = !is ? "" : item.calculation ? string(value(item.calculation, ground)) : said(answers[item.name]);
    }
    const stable = placed.every(({ item }) => fresh[item.name] === values[item.name] && there.has(item.name) === asked.has(item.name));
    [values, asked] = [fresh, there];
    if (stable) break;
  }
  return { values, asked, ground: { values, dates, now } };
}

/** The choices that an item's filter lets through. */
export function offered(form, item, at) {
  const found = form.choices?.[item.choices] ?? [];
  if (!item.choice_filter) return found;
  return found.filter((choice) => holds(item.choice_filter, { ...at.ground, columns: { name: choice.name, ...choice.columns } }));
}

/** Must this item be answered? */
export const isRequired = (item, at) => item.required === "yes" || Boolean(item.required && holds(item.required, at.ground));

/** Does this answer meet the item's own condition? */
export function meets(item, text, at) {
  return !item.constraint || text === "" || holds(item.constraint, { ...at.ground, own: text, ownIsDate: DATES.has(item.type) });
}

/** What an item begins with. */
export function defaultOf(item, now) {
  return item.dynamic && item.default ? string(value(item.default, { values: {}, dates: new Set(), now })) : item.default ?? "";
}

/** What keeps one item from being complete: "unanswered", "photo", "note", "signature", "not_met", or `null`. */
export function lacking(item, given, at, pictures) {
  if (!at.asked.has(item.name) || silent(item)) return null;
  if (PICTURES.has(item.type)) return isRequired(item, at) && !pictures.has(item.name) ? "unanswered" : null;
  const text = said(given);
  if (!text) return isRequired(item, at) ? "unanswered" : null;
  if (!meets(item, text, at)) return "not_met";
  const have = { photo: pictures.has(item.name), note: Boolean(given.note?.trim()), signature: pictures.has(item.name + SIGNED) };
  return (item.evidence?.[text] ?? []).find((need) => !have[need]) ?? null;
}

/** Where a form stands as a whole, or on one page: as `progress` of the six pledges. */
export function formProgress(form, draft, photos, now, page = null) {
  const at = standing(form, draft.answers, now);
  const pictures = new Set(photos.map((p) => p.item_id));
  const here = itemsOf(form).filter((p) => page === null || p.page === page);
  const list = here.filter(({ item }) => at.asked.has(item.name) && !silent(item));
  const gaps = list.map(({ item, page: n }) => ({ item, page: n, gap: lacking(item, draft.answers[item.name], at, pictures) })).filter(({ gap }) => gap);
  const answered = list.filter(({ item }) => (PICTURES.has(item.type) ? pictures.has(item.name) : said(draft.answers[item.name])));
  return { at, total: list.length, answered: answered.length, gaps, complete: gaps.length === 0, shown: here.filter(({ item }) => at.asked.has(item.name)),
    no: list.filter(({ item }) => draft.answers[item.name]?.answer === "no") };
}

/** What is sent of a form: answers to what is asked, calculations as they stand. */
export function formAnswers(form, draft, now) {
  const at = standing(form, draft.answers, now);
  return itemsOf(form).filter(({ item }) => at.asked.has(item.name) && !PICTURES.has(item.type) && at.values[item.name]).flatMap(({ item }) => {
    if (item.type === "note" || item.type === "meta" || item.type === "beyond") return [];
    const given = draft.answers[item.name];
    const note = (given?.note ?? "").trim();
    return item.type === "yes_no" ? [{ item_id: item.name, answer: at.values[item.name], value: "", note }]
      : [{ item_id: item.name, answer: null, value: at.values[item.name], note }];
  });
}

/** A label with the values it speaks of: `${x}` as it stands, choices by their names. */
export function filledIn(text, form, at, language) {
  return text.replace(/\$\{\s*([^}\s]+)\s*\}/g, (_, name) => {
    const item = itemsOf(form).find((p) => p.item.name === name)?.item;
    const chosen = item?.choices ? (at.values[name] ?? "").split(" ").filter(Boolean) : null;
    return chosen ? chosen.map((one) => told(form.choices[item.choices]?.find((c) => c.name === one)?.label, language, form.default_language) || one).join("、") : at.values[name] ?? "";
  });
}
