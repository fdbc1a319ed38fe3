// What a verdict means for the phone's own copy. It is deleted only on a receipt that names the change and every part.
import { t } from "/frontend/common/words.mjs";
import { nowIso } from "./clock.mjs";
import { db } from "./db.mjs";
import { hold, notKept, ownerOf } from "./outbox.mjs";
import { covers } from "./rules.mjs";

const REBASES = 3;

/**
 * Act on the server's verdict for one change. `shaken` says that an earlier change of the same thing is to be tried again.
 * Returns "done", "held", "photos" (photos must be sent first), "rebase" (its thing has moved on: try on the new version)
 * or "later".
 */
export async function settle(change, result, shaken = false) {
  if (result.verdict === "applied" || result.verdict === "duplicate") {
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
  await notKept(change, result.code, result.detail);
  if (result.code !== "photo_missing") return "later";
  await setPhotosUnsent(change);
  return "photos";
}

/** The server does not have the photos after all: they go again (those that are there are only asked for). */
function setPhotosUnsent(change) {
  return db.photos.where("inspection_id").equals(ownerOf(change)).modify({ sent_at: null });
}

/** Delivered: the change leaves the queue, its photos the phone; a line without personal data remains. */
async function finish(change, result) {
  const now = nowIso();
  await db.transaction("rw", db.outbox, db.drafts, db.photos, db.orders, db.sent, async () => {
    await db.outbox.delete(change.seq);
    if (change.quiet) return;
    const order = change.kind.startsWith("order.") ? await db.orders.get(Number(change.thing_id)) : null;
    await db.sent.put({
      id: change.id, kind: change.kind, thing: change.thing, sent_at: now, sha256: change.sha256, title: order?.order_no ?? "",
      parts: result.receipt.parts?.length ?? 0,
    });
    if (order && result.thing) await asItIs(change, result.thing);
    if (change.kind === "inspection.submit") await thin(change, now);
    else if (ownerOf(change)) await db.photos.where("inspection_id").equals(ownerOf(change)).delete();
  });
  return "done";
}

async function thin(change, now) {
  const { inspection_id: id, answers, photos, position } = change.payload;
  const draft = await db.drafts.get(id);
  await db.photos.where("inspection_id").equals(id).delete();
  await db.drafts.put({
    id, state: "sent", title: draft?.title ?? "", place: draft?.place ?? "", order_id: draft?.order_id ?? null,
    site_id: draft?.site_id ?? null, sent_at: now, touched_at: now, change_id: change.id, sha256: change.sha256, position,
    answered: answers.length, no: answers.filter((a) => a.answer === "no").length, photos: photos.length,
  });
}
