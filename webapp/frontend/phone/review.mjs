// The end of a checklist: what is lacking (red, hard stop), what is weak (orange, goes all the same), and Ready.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { db, watch } from "./db.mjs";
import { checklistOf, discard, markOpen, photosOf, ready, set } from "./drafts.mjs";
import { bar, head, instead } from "./frame.mjs";
import { accuracy } from "./gallery.mjs";
import { lastPage, nameOf, numberOf, pageOf, stateOf } from "./lists.mjs";
import { pledgeName } from "./names.mjs";
import { button, icon, ring, sure, toast } from "./parts.mjs";
import { follow, lastPosition } from "./position.mjs";
import { wellFormed } from "./canonical.mjs";
import { queueing } from "./outbox.mjs";
import { nudge } from "./sync.mjs";

const GAP = { unanswered: "not answered", photo: "'No' needs a photo", note: "'No' needs a note", signature: "This answer needs a signature", not_met: "This does not meet the condition" };

/** The screen. */
export async function open(main, id) {
  const draft = await db.drafts.get(id);
  const list = draft && (await checklistOf(draft));
  if (draft?.state !== "draft" || !list) {
    instead("#/fill");
    return null;
  }
  await markOpen(id);
  main.className = "review";
  const note = el("textarea", { id: "visit-note", rows: 3, maxlength: 4000, placeholder: t("Anything else about this visit") });
  note.value = draft.note;
  const write = () => set(id, { note: wellFormed(note.value) });
  let timer = null;
  note.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(write, 250); });
  const top = el("div", {});
  fill(main, top, el("section", { class: "panel" }, el("label", { for: "visit-note" }, t("Note on the visit")), note,
    button(t("Discard this checklist"), () => away(id), { kind: "danger quiet" })));
  let found = null;
  const draw = () => found && show(top, list, found, write);
  const stops = [watch(async () => ({ draft: await db.drafts.get(id), photos: await photosOf(id) }), (data) => { found = data; draw(); }), follow(draw)];
  return async () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
    await write();
  };
}

function show(top, list, { draft, photos }, write) {
  if (draft?.state !== "draft") return;
  const state = stateOf(list, draft, photos);
  const last = `#/check/${draft.id}/${lastPage(list)}`;
  head(t("Review"), { back: last, right: ring(state.answered, state.total) });
  fill(top,
    el("section", { class: "panel" }, el("h2", {}, draft.title),
      el("p", { class: "chips" }, accuracy(lastPosition())),
      state.gaps.length
        ? el("p", { class: "notice error" }, icon("warn", 18), " ", t("Not complete: %(n)s", { n: state.gaps.length }))
        : el("p", { class: "notice done" }, icon("check", 18), " ", t("Complete. Items: %(n)s, 'no': %(no)s, photos: %(photos)s", { n: state.total, no: state.no.length, photos: photos.length })),
      lastPosition() ? null : el("p", { class: "notice warn" }, t("This phone does not know where it is; the checklist can be sent without a position."))),
    pages(draft, list, state));
  bar(el("a", { class: "big button", href: last, "aria-label": t("Previous pledge") }, icon("back")),
    button(t("Put into the queue"), () => finish(draft.id, list, write), { kind: "primary wide", sign: "up", disabled: !state.complete }));
}

function pages(draft, list, { gaps, no }) {
  const key = (item) => item.id ?? item.name;
  const line = (placed, text, kind) => el("a", { class: `item line ${kind}`, href: `#/check/${draft.id}/${pageOf(list, placed)}` },
    el("b", {}, numberOf(list, placed.item)), el("span", { class: "grow" }, nameOf(list, placed.item)), el("span", { class: "soft small" }, text));
  const lacking = new Set(gaps.map(({ item }) => key(item)));
  return [
    gaps.length ? el("section", {}, el("h2", {}, t("Still to do")), gaps.map((placed) => line(placed, t(GAP[placed.gap]), "red"))) : null,
    no.length ? el("section", {}, el("h2", {}, t("Answered 'no'")), no.filter((placed) => !lacking.has(key(placed.item ?? placed)))
      .map((placed) => (placed.item ? line(placed, "", "orange") : line({ item: placed }, pledgeName(placed.pledge_no), "orange")))) : null,
  ];
}

async function finish(id, list, write) {
  const change = await queueing(async () => {
    await write();
    return ready(await db.drafts.get(id), list);
  });
  if (!change) return;
  await markOpen(null);
  location.hash = "#/fill";
  toast(t("Ready. It goes out by itself as soon as there is signal."), "done");
  nudge({ hopeful: true });
}

async function away(id) {
  if (!(await sure(t("Discard this checklist?"), t("Its answers and photos are deleted from this phone."), t("Discard")))) return;
  await discard(id);
  location.hash = "#/fill";
}
