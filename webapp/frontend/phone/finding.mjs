// One finding: as it was found and as it is now, what the unit says, and the one thing to do: look again, or put right.
import { el, fill } from "/frontend/common/dom.mjs";
import { language, t, word } from "/frontend/common/words.mjs";
import { now } from "./clock.mjs";
import { db, recall, watch } from "./db.mjs";
import { addPhotos, photosOf } from "./drafts.mjs";
import { bar, head } from "./frame.mjs";
import { gallery } from "./gallery.mjs";
import { enqueue } from "./outbox.mjs";
import { button, chip, countdown, icon, moment, toast } from "./parts.mjs";
import { nudge } from "./sync.mjs";

const owner = (id) => `finding:${id}`; // under which name this phone keeps the photos until they are sent

/** The list on the day's page: what waits for this person. */
export function section(findings, changes) {
  if (!findings.length) return null;
  const waiting = new Set(changes.map((change) => change.thing));
  return el("section", {}, el("h2", {}, t("Rectification"), el("span", { class: "count" }, String(findings.length))), findings.map((finding) =>
    el("a", { class: `item ${late(finding) ? "red" : "grey"}`, href: `#/finding/${finding.id}`, dataset: { key: `finding-${finding.id}` } },
      el("strong", {}, finding.place), el("span", { class: "line" }, text(finding)),
      el("span", { class: "chips" }, chip(word("finding", finding.status)), finding.rectify_by && finding.status !== "rectified" ? chip(countdown(finding.rectify_by), late(finding) ? "red" : "", "clock") : null,
        finding.failed_times ? chip(t("failed %(n)s times", { n: finding.failed_times }), "orange") : null, finding.works_stopped ? chip(t("works stopped"), "red", "warn") : null,
        waiting.has(owner(finding.id)) ? chip(t("to send"), "blue", "up") : null))));
}

const text = (finding) => `${finding.item_id} ${language === "zh" ? finding.zh : finding.en}`;
const late = (finding) => finding.status !== "rectified" && finding.rectify_by && Date.parse(finding.rectify_by) < now();

/** The screen. What is typed and photographed stays while the list is fetched anew. */
export function open(main, id) {
  const said = el("textarea", { rows: "3", maxlength: "2000", id: "finding-note", "aria-label": t("Note") });
  const strip = el("div", { class: "strip" });
  const pictures = el("div", { class: "found" });
  const made = [];
  const stop = watch(() => load(Number(id)), (found) => show(main, found, { said, strip, pictures, made }));
  return () => { stop(); for (const address of made) URL.revokeObjectURL(address); };
}

async function load(id) {
  const [findings, changes, photos] = await Promise.all([recall("findings", []), db.outbox.where("thing").equals(owner(id)).toArray(), photosOf(owner(id))]);
  return { finding: findings.find((one) => one.id === id) ?? null, changes, photos };
}

function show(main, { finding, changes, photos }, parts) {
  head(finding ? finding.item_id : t("Rectification"), { back: "#/today" });
  if (!finding) {
    bar(el("a", { class: "big button wide", href: "#/today" }, t("My day")));
    return fill(main, el("p", { class: "empty" }, el("strong", {}, t("This finding no longer waits for you.")), t("It was settled, or somebody else was faster.")));
  }
  gallery(parts.strip, photos, { removable: !changes.length });
  if (!parts.pictures.childElementCount) came(finding, parts);
  const fresh = !changes.length;
  fill(main,
    el("section", { class: "panel" }, el("h2", {}, text(finding)),
      el("p", { class: "chips" }, chip(word("finding", finding.status)), chip(word("severity", finding.severity), finding.severity === "serious" ? "red" : "orange"),
        finding.failed_times ? chip(t("failed %(n)s times", { n: finding.failed_times }), "orange") : null, finding.works_stopped ? chip(t("works stopped"), "red", "warn") : null),
      el("dl", {}, el("dt", {}, t("Place")), el("dd", {}, finding.place), el("dt", {}, t("Answering unit")), el("dd", {}, finding.unit ?? "—"),
        finding.rectify_by ? [el("dt", {}, t("Put right until")), el("dd", {}, moment(finding.rectify_by))] : null),
      finding.note ? el("p", { class: "text" }, finding.note) : null,
      finding.answer ? el("p", { class: "notice" }, finding.answer) : null, parts.pictures),
    fresh ? el("section", { class: "panel" }, el("label", { for: "finding-note" }, finding.status === "rectified" ? t("What is still wrong, or a remark") : t("What was done")), parts.said,
      camera(finding), parts.strip) : el("p", { class: "notice" }, icon("up", 18), " ", t("It waits to be sent.")));
  actions(finding, photos, fresh, parts.said);
}

function actions(finding, photos, fresh, said) {
  if (!fresh) return bar(el("a", { class: "big button wide", href: "#/fill" }, t("Records")));
  if (finding.status === "rectified") {
    return bar(button(t("Failed"), () => look(finding, photos, said, false), { kind: "danger" }), button(t("Passed"), () => look(finding, photos, said, true), { kind: "primary", sign: "check" }));
  }
  return bar(button(t("Put right"), () => answer(finding, photos, said), { kind: "primary", sign: "check" }));
}

async function look(finding, photos, said, passed) {
  if (!passed && !said.value.trim()) return wanting(said, t("Write what is still wrong."));
  await send("finding.reinspect", finding, { passed, note: said.value.trim(), photos: shots(photos) });
}

async function answer(finding, photos, said) {
  if (!said.value.trim()) return wanting(said, t("Write what was done."));
  if (finding.photo_wanted && !photos.length) return wanting(said, t("Take a photo of the place as it is now."));
  await send("finding.rectify", finding, { note: said.value.trim(), photos: shots(photos) });
}

function wanting(said, sentence) {
  toast(sentence, "error");
  said.focus();
}

const shots = (photos) => photos.map(({ sha256, taken_at }) => ({ sha256, taken_at }));

async function send(kind, finding, payload) {
  await enqueue(kind, finding.id, finding.version, payload, { photosOf: owner(finding.id) });
  location.hash = "#/today";
  await nudge({ hopeful: true });
}

function camera(finding) {
  const input = el("input", { type: "file", accept: "image/*", multiple: true, class: "visually-hidden", onchange: async (event) => {
    try {
      await addPhotos({ id: owner(finding.id) }, "", [...event.target.files]);
    } catch (error) {
      toast(error.message, "error");
    }
    event.target.value = "";
  } });
  return el("label", { class: "big button" }, icon("camera"), t("Take photos"), input);
}

/** The pictures that came with it; without signal their place says so. */
async function came(finding, { pictures, made }) {
  const token = await recall("token");
  const shown = await Promise.all(finding.photos.map(async (photo) => {
    const reply = await fetch(`/api/v1/findings/photos/${photo.sha256}`, { headers: { Authorization: `Bearer ${token}` }, credentials: "omit" }).catch(() => null);
    if (!reply?.ok) return null;
    const address = URL.createObjectURL(await reply.blob());
    made.push(address);
    return el("figure", {}, el("img", { src: address, alt: word("photo_part", photo.part) }), el("figcaption", {}, `${word("photo_part", photo.part)} · ${moment(photo.taken_at)}`));
  }));
  const there = shown.filter(Boolean);
  fill(pictures, there.length || !finding.photos.length ? there : el("p", { class: "soft" }, t("The photos come when there is signal.")));
}
