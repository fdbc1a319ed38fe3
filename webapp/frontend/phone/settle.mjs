// What a verdict means for the phone's own copy. A change is deleted only on a receipt that names it, a photo only when the
// server has it whole: the receipt of its form may name it, or it follows the form.
import { t } from "/frontend/common/words.mjs";
import { nowIso } from "./clock.mjs";
import { db } from "./db.mjs";
import { mergedNotice, stillMerged } from "./merged.mjs";
import { hold, notKept } from "./outbox.mjs";
import { toast } from "./parts.mjs";
import { delivered as patrolDelivered } from "./patrol_kept.mjs";
import { covers } from "./rules.mjs";
import { delivered as spotDelivered } from "./spot_kept.mjs";

const REBASES = 3;

/**
 * Act on the server's verdict for one change. `shaken` says that an earlier change of the same thing is to be tried again.
 * Returns "done", "held", "photos" (they must be sent first), "rebase" (its thing has moved on: try on the new version), "waits" (the server keeps it until what
 * it rests on has come) or "later".
 */
export async function settle(change, result, shaken = false) {
  const beside = result.verdict === "conflict" && result.code === "fields_differ"; // kept, and the desk chooses
  if (result.verdict === "applied" || result.verdict === "duplicate" || beside) {
    if (covers(result.receipt, change)) return finish(change, result);
    await hold(change, "refused", "bad_receipt", t("The server's receipt does not match what is on this phone. Nothing was deleted."), true);
    return "held";
  }
  if (result.retry) return retry(change, result);
  if (change.kind.startsWith("order.") && result.thing) await asItIs(change, result.thing);
  if (change.kind.startsWith("order.") && (result.code === "stale_version" || shaken) && (change.rebased ?? 0) < REBASES) {
    await db.outbox.update(change.seq, { uncertain: false, rebase: true });
    return "rebase";
  }
  await hold(change, result.verdict, result.code, result.detail);
  return "held";
}

/** The server tells with its verdict how the order stands; that is newer than what this phone has, but not all of it. */
function asItIs(change, { status, version }) {
  return db.orders.update(Number(change.thing_id), { status, version, partial: true });
}

async function retry(change, result) {
  if (result.code === "held") {
    await db.outbox.update(change.seq, { code: result.code, detail: result.detail }); // the server has it: it is not altered any more
    return "waits";
  }
  await notKept(change, result.code, result.detail);
  if (result.code !== "photo_missing") return "later";
  await db.photos.where("inspection_id").equals(change.photos_of ?? "").modify({ sent_at: null }); // they go again
  return "photos";
}

/** Delivered: the change leaves the queue, its photos the phone; a line without personal data remains. What was merged is told. */
async function finish(change, result) {
  const [now, merged] = [nowIso(), result.merged ?? []];
  await db.transaction("rw", db.outbox, db.drafts, db.photos, db.orders, db.sent, async () => {
    await db.outbox.delete(change.seq);
    if (change.quiet) return;
    const order = change.kind.startsWith("order.") ? await db.orders.get(Number(change.thing_id)) : null;
    await db.sent.put({
      id: change.id, kind: change.kind, thing: change.thing, sent_at: now, sha256: change.sha256, title: order?.order_no ?? "",
      parts: result.receipt.parts?.length ?? 0, ...(merged.length ? { merged } : {}),
    });
    if (order && result.thing) await asItIs(change, result.thing);
    if (change.kind === "inspection.submit") await thin(change, result, now);
    if (change.kind === "inspection.amend") await amended(change, result, merged);
    if (change.photos_of) await db.photos.where("inspection_id").equals(change.photos_of).delete();
  });
  if (change.kind.startsWith("patrol.")) await patrolDelivered(change, result.thing);
  if (change.kind === "spot.verify") await spotDelivered(change, result.thing);
  if (merged.length && !change.quiet) toast(mergedNotice(change.kind, merged));
  return "done";
}

/** A correction was delivered: the sent checklist is at its new version here too. */
async function amended(change, result, merged) {
  const draft = await db.drafts.get(change.payload.inspection_id);
  if (!draft) return;
  const answers = (draft.answers ?? []).map((a) => ({ ...a, ...(change.payload.answers ?? []).find((b) => b.item_id === a.item_id) }));
  await db.drafts.put({ ...draft, answers, note: change.payload.note ?? draft.note, version: result.thing?.version ?? draft.version, disputed: result.code === "fields_differ",
    merged: stillMerged(draft.merged, change.payload, merged) });
}

async function thin(change, result, now) {
  const { inspection_id: id, answers, photos, position } = change.payload;
  const draft = await db.drafts.get(id);
  const arrived = new Set(result.receipt.parts ?? []);
  await db.photos.where("inspection_id").equals(id).filter((photo) => arrived.has(photo.sha256)).delete();
  await db.drafts.put({
    id, state: "sent", answers, note: change.payload.note, version: result.thing?.version ?? 1,
    checklist_code: change.payload.checklist_code, checklist_revision: change.payload.checklist_revision,
    scope: change.payload.scope, stage: change.payload.stage, title: draft?.title ?? "", place: draft?.place ?? "", order_id: draft?.order_id ?? null,
    site_id: draft?.site_id ?? null, sent_at: now, touched_at: now, change_id: change.id, sha256: change.sha256, position,
    answered: answers.length, no: answers.filter((a) => a.answer === "no").length, photos: photos.length,
  });
}
