// A phone becomes somebody's: the desk shows a one-use code, which travels after `#` and so never reaches a log.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import * as api from "./api.mjs";
import { db, recall, remember } from "./db.mjs";
import { head, noFoot } from "./frame.mjs";
import { button, icon, toast } from "./parts.mjs";
import { askPersistence } from "./storage.mjs";
import { nudge } from "./sync.mjs";

/** A code on its own, or in a link that was pasted whole. */
export const codeIn = (text) => /(?:#enrol=)?([\w-]{16,100})$/.exec(text.trim())?.[1] ?? "";

/** The screen without a token, or with a new code. */
export async function open(main) {
  noFoot();
  head(t("Enrol this phone"));
  let code = location.hash.startsWith("#enrol=") ? location.hash.slice("#enrol=".length) : "";
  if (code) history.replaceState(null, "", "#/enrol"); // not in the history either
  const known = await recall("me");
  if (known && (await recall("token")) && !(await recall("revoked")) && !code) {
    location.replace("#/today");
    return;
  }
  const name = el("input", { id: "device-name", maxlength: 120, value: (await recall("device_name")) ?? modelName(), autocomplete: "off", placeholder: t("For example: Zhang's phone") });
  const paste = el("input", { id: "code", maxlength: 400, autocomplete: "off", autocapitalize: "off", spellcheck: "false", value: code });
  const go = button(t("Enrol"), () => enrol(), { kind: "primary", sign: "check" });
  const trouble = el("p", { class: "notice error", role: "alert", hidden: true });

  async function enrol() {
    code = codeIn(paste.value);
    if (!code) return complain(t("Scan the code shown at the desk, or paste its link here."));
    go.disabled = true;
    try {
      const answer = await api.enrol(code, name.value.trim());
      await remember("device_name", name.value.trim());
      await begin(answer);
    } catch (error) {
      complain(error instanceof api.NoSignal ? t("No connection: enrolling needs signal once.") : error.message);
    } finally {
      go.disabled = false;
    }
  }

  function complain(text) {
    trouble.hidden = false;
    trouble.textContent = text;
  }

  main.className = "enrol";
  fill(main,
    el("img", { src: "/static/favicon.svg", alt: "", width: 72, height: 72 }),
    el("h2", {}, t("Chengmai field app")),
    el("p", { class: "soft" }, code ? t("Give this phone a name that the desk will recognise.") : t("Ask the desk to show your code, and point this phone's camera at it.")),
    el("label", { for: "device-name" }, t("Name of this phone")), name,
    code ? null : [el("label", { for: "code" }, t("Code or link")), paste],
    trouble, go,
    el("p", { class: "soft small" }, icon("clock", 16), " ", t("A code works once, for 30 minutes.")));
}

/** The token is kept; orders of the person before are not this person's to see. Unsent changes stay, marked with their maker. */
async function begin({ token, user }) {
  const before = await recall("me");
  if (before && before.id !== user.id) await Promise.all([db.orders.clear(), db.sites.clear(), db.positions.clear()]);
  await db.transaction("rw", db.keep, async () => {
    await remember("token", token);
    await remember("me", { ...user, crew: null });
    for (const key of ["revoked", "cursor", "lists_at", "told_length"]) await remember(key, null);
  });
  await askPersistence();
  location.hash = "#/today";
  toast(t("Enrolled. Welcome, %(name)s.", { name: user.full_name || user.name }), "done");
  nudge({ hopeful: true });
}

/** What an Android phone calls itself (`Linux; Android 13; M2012K11AC`); others do not say. */
function modelName() {
  return /Android[^;)]*;\s*([^;)]+)/.exec(navigator.userAgent)?.[1].trim().slice(0, 60) ?? "";
}
