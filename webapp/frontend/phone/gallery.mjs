// The photos of an item as a strip of small pictures; one tap shows one large, with when, where and how sure.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { db } from "./db.mjs";
import { button, bytes, chip, moment, sheet, sure } from "./parts.mjs";
import { accuracyState } from "./rules.mjs";

/** Show photos in `node`; only what changed is drawn again, and every address that was made is given back. */
export function gallery(node, photos, { removable = false } = {}) {
  const wanted = photos.map((p) => p.id).join(" ");
  if (node.dataset.shown === wanted) return;
  node.dataset.shown = wanted;
  for (const old of node.querySelectorAll("img")) URL.revokeObjectURL(old.src);
  fill(node, photos.map((photo, i) => el("button", { type: "button", class: photo.refused ? "thumb bad" : "thumb", onclick: () => large(photo, removable),
    "aria-label": t("Photo %(n)s, %(time)s", { n: i + 1, time: moment(photo.taken_at) }) }, el("img", { alt: "", src: URL.createObjectURL(photo.thumb ?? photo.blob) }))));
}

async function large(photo, removable) {
  const address = URL.createObjectURL(photo.stamped ?? photo.blob);
  const gone = await sheet(photo.signed ? t("Signature") : t("Photo"), (close) => [
    el("img", { class: "large", alt: t("Photo, %(time)s", { time: moment(photo.taken_at) }), src: address }),
    photo.refused ? el("p", { class: "notice error" }, photo.refused) : null,
    el("p", { class: "chips" }, chip(moment(photo.taken_at), "", "clock"), chip(bytes(photo.size)), accuracy(photo.position), photo.album ? chip(t("from the album"), "", "album") : null),
    photo.stamped ? el("p", { class: "soft small hash" }, t("The stamp is on a copy. What is sent is the photo as it was taken, unchanged: SHA-256 %(hash)s", { hash: photo.sha256 })) : null,
    photo.converted ? el("p", { class: "soft small" }, t("Made a JPEG, because the server does not take the kind or size it had.")) : null,
    el("div", { class: "stack" }, button(t("Close"), () => close(null), { kind: "primary" }),
      photo.stamped ? el("a", { class: "big button", href: address, download: `${photo.name.replace(/\.\w+$/, "")}-${photo.sha256.slice(0, 8)}.jpg` }, t("Save the stamped copy")) : null,
      removable ? button(t("Remove"), () => close("remove"), { kind: "danger quiet" }) : null),
  ]);
  URL.revokeObjectURL(address);
  if (gone && (await sure(t("Remove this photo?"), t("It is deleted from this phone."), t("Remove")))) await db.photos.delete(photo.id);
}

const SURENESS = { green: "position ±%(m)s m · good", yellow: "position ±%(m)s m · fair", orange: "position ±%(m)s m · poor", red: "position ±%(m)s m · very poor" };

/** How sure a position is, in words and colour. */
export function accuracy(position) {
  if (!position) return chip(t("no position"), "grey", "pin");
  const state = accuracyState(position.accuracy_m);
  return chip(t(SURENESS[state] ?? "position ±%(m)s m", { m: Math.round(position.accuracy_m) }), state, "pin");
}
