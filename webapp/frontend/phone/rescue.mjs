// The way out when nothing else works: everything unsent, photos included, as one file. The token is not in it.
import { db, recall } from "./db.mjs";
import { nowIso } from "./clock.mjs";
import { onTheWire } from "./outbox.mjs";

/** Offer everything unsent as a JSON file. Returns how many changes and drafts are in it. */
export async function exportQueue() {
  const [changes, drafts, photos] = await Promise.all([db.outbox.toArray(), db.drafts.where("state").anyOf("draft", "ready").toArray(), db.photos.toArray()]);
  const me = await recall("me");
  const head = {
    format: "chengmai-phone-queue", version: 1, exported_at: nowIso(), device: await recall("device_name"), device_id: me?.device_id ?? null, user: me && { id: me.id, name: me.name },
    changes: changes.map((change) => ({ ...onTheWire(change), sha256: change.sha256, state: change.state, code: change.code, user_id: change.user_id })), drafts,
  };
  // The file is put together from pieces, so that a hundred photos never stand in memory as one text.
  const pieces = [JSON.stringify(head).slice(0, -1), ',"photos":['];
  for (const [i, photo] of photos.entries()) {
    const { blob, thumb, stamped, ...facts } = photo;
    pieces.push(`${i ? "," : ""}${JSON.stringify(facts).slice(0, -1)},"base64":"`, new Blob([await base64(blob)]), '"}');
  }
  pieces.push("]}");
  save(new Blob(pieces, { type: "application/json" }), `chengmai-${head.exported_at.slice(0, 19).replaceAll(":", "")}.json`);
  return changes.length + drafts.filter((d) => d.state === "draft").length;
}

function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
