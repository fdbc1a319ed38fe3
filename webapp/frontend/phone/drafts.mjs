// Checklists on the phone: Draft -> Ready -> Sent. Every tap is on the disk before the next one can be made.
import { sha256, tidy, wellFormed } from "./canonical.mjs";
import { nowIso } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { prepare } from "./outbox.mjs";
import { lastPosition } from "./position.mjs";
import { readable, thumbnail } from "./pictures.mjs";
import { defaultOf, formAnswers, itemsOf } from "./form_rules.mjs";
import { localNow } from "./lists.mjs";
import { asked } from "./rules.mjs";
import { stamped } from "./stamp.mjs";

const SESSION = crypto.randomUUID(); // this start of the app
const LEFT = "chengmai-left"; // in localStorage: the only thing that can still be written while a page goes away

/** Start a checklist for an order or a site. `about` is `{order_id | site_id, title, place, scope, stage, heating}`. */
export async function start(about, checklist) {
  const now = nowIso();
  const draft = {
    id: crypto.randomUUID(), state: "draft", order_id: null, site_id: null, ...about,
    checklist_code: checklist.code, checklist_revision: checklist.revision, answers: await beginning(checklist), note: "", page: 1,
    started_at: now, touched_at: now, finished_at: null, change_id: null,
  };
  await db.drafts.add(draft);
  return draft;
}

/** What a form begins with: its defaults, and the last values of items that repeat them. */
async function beginning(checklist) {
  if (!checklist.form) return {};
  const [last, now] = [await recall(`last ${checklist.code}`, {}), localNow()];
  const found = itemsOf(checklist.form).map(({ item }) => [item, (item.repeat_last && last[item.name]) || defaultOf(item, now)]);
  return Object.fromEntries(found.filter(([, said]) => said).map(([item, said]) =>
    [item.name, item.type === "yes_no" ? { answer: said, value: "", note: "" } : { answer: null, value: said, note: "" }]));
}

/** The list a draft was started with: an answer keeps the version it was given to. */
export const checklistOf = (draft) => db.checklists.get([draft.checklist_code, draft.checklist_revision]);

function edit(id, change) {
  return db.transaction("rw", db.drafts, async () => {
    const draft = await db.drafts.get(id);
    if (!draft || draft.state !== "draft") return null;
    change(draft);
    draft.touched_at = nowIso();
    await db.drafts.put(draft);
    return draft;
  });
}

/** Answer one item; the same answer again takes it back. Returns the draft as it is now. */
export function answer(id, itemId, value) {
  return edit(id, (draft) => {
    const before = draft.answers[itemId] ?? { answer: null, note: "" };
    draft.answers[itemId] = { ...before, answer: before.answer === value ? null : value };
  });
}

/** Change an item of a form: `{answer}`, `{value}` or `{note}`. Returns the draft as it is now. */
export function put(id, itemId, patch) {
  const fields = Object.fromEntries(Object.entries(patch).map(([key, said]) => [key, typeof said === "string" ? wellFormed(said) : said]));
  return edit(id, (draft) => {
    draft.answers[itemId] = { answer: null, value: "", note: "", ...draft.answers[itemId], ...fields };
  });
}

/** Write the note of one item. */
export function note(id, itemId, text) {
  return edit(id, (draft) => {
    draft.answers[itemId] = { answer: null, ...draft.answers[itemId], note: wellFormed(text) };
  });
}

/** Change what belongs to the whole visit: scope, stage, heating, note, page. */
export const set = (id, fields) => edit(id, (draft) => Object.assign(draft, fields));

/**
 * Keep photos of an item: the original under its hash, the phone's own position beside it (browsers strip GPS), and a stamped
 * copy to look at. `album`: they were chosen, not taken now. A signature (`file.signed`) carries no stamp.
 */
export async function addPhotos(draft, itemId, files, { album = false } = {}) {
  const me = await recall("me");
  const about = { place: draft.title ?? "", order_no: draft.order_id ? draft.place : null, inspector: me?.full_name || me?.name || "" };
  for (const file of files) {
    const picture = await readable(file);
    const bytes = await picture.blob.arrayBuffer();
    const photo = {
      id: crypto.randomUUID(), inspection_id: draft.id, item_id: itemId, sha256: await sha256(bytes),
      blob: new Blob([bytes], { type: picture.mime }), mime: picture.mime, size: bytes.byteLength, name: picture.name,
      album, signed: Boolean(file.signed), converted: Boolean(picture.converted), taken_at: nowIso(), position: lastPosition(), sent_at: null,
    };
    photo.stamped = photo.signed ? null : await stamped(picture.blob, { ...about, ...photo });
    photo.thumb = await thumbnail(photo.stamped ?? picture.blob);
    await db.transaction("rw", db.photos, async () => {
      const twice = await db.photos.where({ inspection_id: draft.id, item_id: itemId }).toArray();
      if (!twice.some((p) => p.sha256 === photo.sha256)) await db.photos.add(photo);
    });
  }
}

/** The photos of a checklist, oldest first. */
export async function photosOf(id) {
  const found = await db.photos.where("inspection_id").equals(id).toArray();
  return found.sort((a, b) => a.taken_at.localeCompare(b.taken_at));
}

/** What is sent of a checklist: the answers to what is asked (a hidden item was never put to anybody), and every photo. */
export function payload(draft, list, photos) {
  return {
    inspection_id: draft.id,
    ...(draft.order_id ? { order_id: draft.order_id } : { site_id: draft.site_id }),
    checklist_code: draft.checklist_code, checklist_revision: draft.checklist_revision,
    scope: list.form ? null : draft.scope, stage: list.form ? null : draft.stage, started_at: draft.started_at, finished_at: draft.finished_at,
    note: draft.note.trim(), position: place(draft.position),
    answers: list.form ? formAnswers(list.form, draft, localNow()) : asked(list.items, draft).filter((item) => draft.answers[item.id]?.answer)
      .map((item) => ({ item_id: item.id, answer: draft.answers[item.id].answer, note: (draft.answers[item.id].note ?? "").trim() })),
    photos: photos.map((p) => ({ sha256: p.sha256, item_id: p.item_id, taken_at: p.taken_at, position: place(p.position) })),
  };
}

function place(position) {
  return position ? { lon: tidy(position.lon), lat: tidy(position.lat), accuracy_m: tidy(position.accuracy_m, 1) } : null;
}

/** Draft -> Ready: the change is in the queue and the draft is closed in one transaction, or neither. */
export async function ready(draft, list) {
  const finished = { ...draft, finished_at: nowIso(), position: lastPosition() };
  const photos = await photosOf(draft.id);
  const change = await prepare("inspection.submit", draft.id, null, payload(finished, list, photos));
  if (list.form) await keepLast(draft, list);
  return db.transaction("rw", db.drafts, db.outbox, async () => {
    if ((await db.drafts.get(draft.id))?.state !== "draft") return null;
    await db.outbox.add(change);
    await db.drafts.put({ ...finished, state: "ready", change_id: change.id });
    return change;
  });
}

/** Keep what the next checklist of this kind begins with. */
function keepLast(draft, list) {
  const repeated = itemsOf(list.form).filter(({ item }) => item.repeat_last).map(({ item }) => [item.name, draft.answers[item.name]?.answer || draft.answers[item.name]?.value || ""]);
  return repeated.length ? remember(`last ${list.code}`, Object.fromEntries(repeated)) : null;
}

/** Ready -> Draft, to correct it; only while the server has surely not got it. Returns whether it was possible. */
export function correct(id) {
  return db.transaction("rw", db.drafts, db.outbox, async () => {
    const draft = await db.drafts.get(id);
    const change = draft && (await db.outbox.where("id").equals(draft.change_id ?? "").first());
    if (!change || change.uncertain) return false;
    await db.outbox.delete(change.seq);
    await db.drafts.put({ ...draft, state: "draft", change_id: null, finished_at: null });
    return true;
  });
}

/** Throw a draft away with its photos: only by the person's own hand, and never one that waits to be sent. */
export function discard(id) {
  return db.transaction("rw", db.drafts, db.photos, async () => {
    if ((await db.drafts.get(id))?.state !== "draft") return;
    await db.photos.where("inspection_id").equals(id).delete();
    await db.drafts.delete(id);
  });
}

/** Say which draft is on the screen (`null`: none), so that a killed page is noticed at the next start. */
export function markOpen(id) {
  return remember("open_draft", id && { id, session: SESSION });
}

/** The page goes away properly (`left`), or came back as it was. */
export function markLeft(left) {
  if (left) localStorage.setItem(LEFT, SESSION);
  else localStorage.removeItem(LEFT);
}

/** The draft that was on the screen when the app was killed, or `null`. */
export async function interrupted() {
  const open = await recall("open_draft");
  if (!open || localStorage.getItem(LEFT) === open.session) return null;
  const draft = await db.drafts.get(open.id);
  return draft?.state === "draft" ? draft : null;
}
