// What of a delivered change was merged with what others did to the same thing meanwhile: both hold, and of these fields the
// other value stands. There is nothing to press; the person is told. Pure.
import { t } from "/frontend/common/words.mjs";
import { changeName } from "./names.mjs";

const SHOWN_MS = 3_600_000; // so long the banner tells of it; the record tells of it as long as it is there
const ORDER = { reschedule: "the booked time", lock: "whether its crew and time are fixed", unlock: "whether its crew and time are fixed", lapse: "the time to accept" };
const PARTS = { answer: "the answer", note: "the note" };

/** A field as its reader calls it: a deed of the desk with an order (`reschedule`), or a property of a visit (`4.7.note`). */
function fieldName(kind, path) {
  if (kind.startsWith("order.")) return t(ORDER[path] ?? "what the desk wrote on the order");
  const at = path.lastIndexOf(".");
  return at < 0 ? t("Note on the visit") : `${path.slice(0, at)} ${t(PARTS[path.slice(at + 1)] ?? path.slice(at + 1))}`;
}

/** Of which fields the other value stands, as one sentence; an order's are the office's, a visit's also a colleague's. */
export function mergedWords(kind, paths) {
  const fields = [...new Set(paths.map((path) => fieldName(kind, path)))].join(t(", "));
  return kind.startsWith("order.") ? t("Merged: the office's value stands for %(fields)s", { fields })
    : t("Merged: the value that the office or a colleague gave meanwhile stands for %(fields)s", { fields });
}

/** The same with what was delivered before it, for a sentence that stands by itself. */
export const mergedNotice = (kind, paths, title = "") => [changeName(kind), title, mergedWords(kind, paths)].filter(Boolean).join(" · ");

/** How many of these delivered lines were merged lately. */
export const lately = (lines, now) => lines.filter((line) => line.merged?.length && now - Date.parse(line.sent_at) < SHOWN_MS).length;

/** Which properties of a visit others' values stand for after one more correction: what it sets itself is its own again. */
export function stillMerged(before = [], payload, merged = []) {
  const own = new Set((payload.answers ?? []).flatMap((given) => ["answer", "note"].filter((part) => given[part] !== undefined && given[part] !== null).map((part) => `${given.item_id}.${part}`)));
  if (payload.note !== undefined && payload.note !== null) own.add("note");
  return [...new Set([...before.filter((path) => !own.has(path)), ...merged])].sort();
}
