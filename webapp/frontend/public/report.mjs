// Reporting on a telephone: nothing typed is lost, one sending is one complaint, and the number stays until it is put away.
import { ask, el, fill } from "../common/dom.mjs";
import { newId, photos as keptPhotos, receipt, words as keptWords } from "./draft.mjs";
import { Photos } from "./photos.mjs";
import { PublicPlace } from "./place.mjs";
import { Proof } from "./proof.mjs";

const form = document.querySelector("[data-report]");
const find = (selector) => form.querySelector(selector);
const say = JSON.parse(form.dataset.words);
const FIELDS = ["category", "description", "place", "lon", "lat", "name", "phone"];
const WAIT_MS = [2000, 4000, 8000, 15_000, 30_000];
const proof = new Proof();
let id = newId();
let joining = "";
let joined = ""; // which of the matters nearby: the reference to it is another each time

// --- the draft ---------------------------------------------------------------------------------------------------------
function typed() {
  return Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]?.value ?? ""]));
}

function save() {
  keptWords.save({ id, fields: typed(), joining });
  find("[data-kept]").hidden = false;
}

async function restore() {
  const draft = keptWords.load();
  if (draft) {
    id = draft.id;
    for (const name of FIELDS) {
      if (name === "category") {
        const radio = find(`[name=category][value="${CSS.escape(draft.fields[name] ?? "")}"]`);
        if (radio) {
          radio.checked = true;
          radio.closest("details").open = true;
        }
      } else form.elements[name].value = draft.fields[name] ?? "";
    }
    if (draft.fields.lon) place.set({ lon: Number(draft.fields.lon), lat: Number(draft.fields.lat) }, { describe: false });
    find("[data-kept]").hidden = false;
  }
  chosen();
  pictures.show(await keptPhotos.load());
}

// --- what is being filled in -------------------------------------------------------------------------------------------
const place = new PublicPlace(form, { words: say, changed: () => {
  if (place.at) problem("place", "");
  save();
  similar();
} });
const pictures = new Photos(find("[data-photos]"), find("[data-photo-list]"), {
  most: Number(form.dataset.mostPhotos), bytes: Number(form.dataset.photoBytes), kinds: form.dataset.photoKinds.split(","),
  say: (text) => problem("photo", text), words: { most: say.mostPhotos, kind: say.photoKind, large: say.photoLarge, remove: say.remove },
  changed: (list) => keptPhotos.save(list),
});
// The list of names brings the dictionary of the desk with it: it comes later, the form does not wait for it.
import("../intake/combo.mjs").then(({ combo }) => combo(form.elements.place, document.querySelector("#place-list"), {
  search: (q, signal) => ask(`/public/places/search.json?${new URLSearchParams({ q })}`, { signal }),
  choose: (row) => place.fromName(row),
}), () => {});

function chosen() {
  const radio = find("[name=category]:checked");
  find("[data-ring-first]").hidden = !radio?.hasAttribute("data-ring");
  for (const details of form.querySelectorAll("details[data-utility]")) {
    details.toggleAttribute("data-chosen", details.contains(radio));
  }
}

let asked = 0;
async function similar() {
  const category = form.elements.category.value;
  const box = find("[data-similar]");
  const turn = ++asked;
  if (!category || !place.at) return void (box.hidden = true);
  const rows = await ask(`/public/similar.json?${new URLSearchParams({ category, ...place.at })}`).catch(() => []);
  if (turn !== asked) return;
  box.hidden = rows.length === 0;
  const same = rows.find((row) => matter(row) === joined);
  joining = same?.ref ?? "";
  joined = same ? joined : "";
  fill(box.querySelector("ul"), rows.map((row) => el("li", {}, el("label", { class: "choice" },
    el("input", { type: "checkbox", name: "join", value: row.ref, checked: row === same, onchange: ({ target }) => joinOne(target, row) }),
    el("span", {}, el("strong", {}, row.category), el("span", { class: "soft" }, [row.place, row.day, say.voices.replace("{n}", row.voices)]
      .filter(Boolean).join(" · ")), el("span", { class: "me-too" }, say.meToo))))));
}

const matter = (row) => [row.category, row.place, row.day].join("|");

function joinOne(box, row) {
  for (const other of form.querySelectorAll("[name=join]")) if (other !== box) other.checked = false;
  joining = box.checked ? row.ref : "";
  joined = box.checked ? matter(row) : "";
  save();
}

form.addEventListener("input", ({ target }) => {
  proof.begin();
  save();
  if (target.dataset.about) problem(target.dataset.about, "");
});
form.addEventListener("change", (event) => {
  if (event.target.name !== "category") return;
  chosen();
  similar();
});

// --- errors ------------------------------------------------------------------------------------------------------------
function problem(name, text) {
  const box = find(`[data-error="${name}"]`);
  box.textContent = text;
  box.hidden = !text;
  for (const field of form.querySelectorAll(`[data-about="${name}"]`)) field.toggleAttribute("aria-invalid", Boolean(text));
}

/** What the form itself can see; true where it is fit to send. */
function check() {
  const now = typed();
  const errors = {
    category: now.category ? "" : say.noCategory, description: now.description.trim() ? "" : say.noDescription,
    place: now.place.trim() || now.lon ? "" : say.noPlace, phone: now.phone.replace(/\D/g, "").length >= 7 ? "" : say.noPhone,
  };
  for (const [name, text] of Object.entries(errors)) problem(name, text);
  problem("form", "");
  const first = Object.keys(errors).find((name) => errors[name]);
  if (first) find(`[data-about="${first}"]`)?.focus();
  return !first;
}

const ABOUT = { bad_phone: "phone", phone_needed: "phone", place_missing: "place", text_too_long: "description", text_missing: "description",
  unknown_category: "category", bad_photo: "photo", too_many_photos: "photo", bad_coordinates: "place", swapped_coordinates: "place" };

// --- sending -----------------------------------------------------------------------------------------------------------
function status(text, part) {
  find("[data-status]").textContent = text;
  find("progress").hidden = part === undefined;
  if (part !== undefined) find("progress").value = part;
}

async function post(solved) {
  const body = new FormData();
  for (const [name, value] of Object.entries(typed())) body.set(name, value);
  body.set("id", id);
  body.set("join", joining);
  body.set("proof", solved.token);
  body.set("answers", solved.answers);
  for (const file of pictures.list) body.append("photo", file, file.name);
  const reply = await fetch("/public/report.json", { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout?.(90_000) });
  const told = await reply.json();
  if (reply.ok) return told;
  throw Object.assign(new Error(told.detail), { code: told.code, told: true, status: reply.status });
}

/** Send until it has arrived or is refused. A lost answer is asked for again under the same id. */
async function send() {
  for (let turn = 0; ; turn += 1) {
    try {
      status(say.sums, 0);
      const solved = await proof.ready((part) => status(say.sums, part));
      status(say.sending);
      return await post(solved);
    } catch (error) {
      const again = ["proof_spent", "proof_expired", "proof_missing"].includes(error.code);
      if (again) proof.spent();
      if (error.told && !(again && turn < 2) && !(error.status >= 500)) throw error;
      status(navigator.onLine === false ? say.offline : say.again);
      await new Promise((go) => {
        const timer = setTimeout(go, WAIT_MS[Math.min(turn, WAIT_MS.length - 1)]);
        addEventListener("online", () => { clearTimeout(timer); go(); }, { once: true });
      });
    }
  }
}

let busy = false;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy || !check()) return;
  busy = true;
  find("[data-send]").setAttribute("aria-disabled", "true");
  save();
  try {
    const given = await send();
    receipt.save({ ...given, at: Date.now() });
    keptWords.clear();
    await keptPhotos.clear();
    show(given);
  } catch (error) {
    proof.spent();
    problem(ABOUT[error.code] ?? "form", error.message);
    find(`[data-error="${ABOUT[error.code] ?? "form"}"]`).scrollIntoView({ block: "center" });
  } finally {
    busy = false;
    find("[data-send]").removeAttribute("aria-disabled");
    status("");
  }
});

// --- the receipt -------------------------------------------------------------------------------------------------------
const paper = document.querySelector("[data-receipt]");

function show(given) {
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short", timeZone: form.dataset.timezone });
  paper.querySelector("[data-number]").textContent = given.number;
  paper.querySelector("[data-received]").textContent = clock.format(new Date(given.received_at));
  paper.querySelector("[data-due]").textContent = clock.format(new Date(given.resolve_by));
  paper.querySelector("[data-joined]").hidden = !given.joined;
  paper.querySelector("[data-differs]").hidden = given.same;
  paper.querySelector("[data-follow]").href = `/public/follow?number=${encodeURIComponent(given.number)}`;
  form.hidden = true;
  paper.hidden = false;
  paper.focus();
  scrollTo(0, 0);
}

paper.querySelector("[data-print]").addEventListener("click", () => print());
paper.querySelector("[data-another]").addEventListener("click", () => {
  receipt.clear();
  location.reload();
});

const last = receipt.load();
if (last && !keptWords.load()) show(last);
restore().then(() => (form.dataset.ready = "1"));
