// Who called, masked until somebody with the right says what for; what was shown disappears again by itself.
import { ask, el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { told } from "./told.mjs";

const PURPOSES = ["call_back", "visit", "verify", "supervision"];
const SHOWN_MS = 120_000;

/** The caller's part of the detail. */
export function callerPart(complaint, mayUnmask) {
  const root = el("div", { class: "caller" });
  const line = (caller, more) => fill(root, el("span", { class: "caller-line" },
    ...[caller.name, caller.phone, caller.door_no].filter(Boolean).map((text) => el("span", {}, text))), more ?? null);
  if (!complaint.caller) return fill(root, el("span", { class: "soft" }, t("No caller's details were kept.")));
  const masked = () => line(complaint.caller, mayUnmask ? el("button", { type: "button", class: "small", onclick: choose }, t("Show…")) : null);

  function choose() {
    const select = el("select", { "aria-label": t("What for?") }, ...PURPOSES.map((purpose) => el("option", { value: purpose }, word("purpose", purpose))));
    line(complaint.caller, el("form", { class: "row", onsubmit: show },
      select, el("button", { class: "primary small" }, t("Show")), el("button", { type: "button", class: "quiet small", onclick: masked }, t("Cancel")),
      el("p", { class: "small soft" }, t("The purpose is written into the journal."))));
    select.focus();
  }

  async function show(event) {
    event.preventDefault();
    const purpose = root.querySelector("select").value;
    try {
      const told = await ask(`/complaints/${complaint.id}/unmask`, { method: "POST", body: { purpose } });
      line(told, el("span", { class: "row" }, el("span", { class: "chip yellow" }, word("purpose", purpose)), el("button", { type: "button", class: "small", onclick: masked }, t("Hide"))));
      setTimeout(() => root.isConnected && masked(), SHOWN_MS);
    } catch (problem) {
      masked();
      root.append(el("p", { class: "notice error", role: "alert" }, told(problem)));
    }
  }

  masked();
  return root;
}
