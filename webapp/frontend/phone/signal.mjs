// 信号采样: how strong the mobile signal is here, read off the phone's own status page (a browser may not read it), kept with the place.
import { el, fill } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { recall, remember } from "./db.mjs";
import { bar, head } from "./frame.mjs";
import { enqueue } from "./outbox.mjs";
import { button, chip, toast } from "./parts.mjs";
import { numberOf } from "./patrol_rules.mjs";
import { ask, follow, lastPosition } from "./position.mjs";
import { DBM_LEAST, DBM_MOST } from "./spot.mjs";
import { nudge } from "./sync.mjs";

const LOOK_MS = 10_000;
const OPERATORS = ["中国移动", "中国联通", "中国电信", "中国广电"];

/** The screen: one reading after the other, each where the phone is then. */
export async function open(main) {
  head(t("Mobile signal here"), { back: "#/me" });
  const rsrp = el("input", { id: "rsrp", inputmode: "text", maxlength: "6", autocomplete: "off", placeholder: "-105" });
  const operator = el("select", { id: "operator" }, el("option", { value: "" }, "—"), OPERATORS.map((name) => el("option", {}, name)));
  operator.value = await recall("signal-operator", "");
  const place = el("p", { class: "chips", role: "status" }), count = el("p", { class: "soft", role: "status" });
  let kept = 0;
  const where = () => { const here = lastPosition(); fill(place, here ? chip(t("accurate to %(n)s m", { n: Math.round(here.accuracy_m ?? 0) }), "green", "pin") : chip(t("no position yet"), "orange", "pin")); };
  fill(main, el("section", { class: "panel" }, el("p", {}, t("Read the value off this phone: Settings, About phone, Status, SIM status, signal strength (dBm). Measure standing still, and once more a few steps away.")),
    el("div", { class: "reading" }, el("label", { for: "rsrp" }, el("strong", {}, t("How strong is the signal? (RSRP)"))), el("div", { class: "row" }, rsrp, el("span", { class: "unit" }, "dBm"))),
    el("div", { class: "reading" }, el("label", { for: "operator" }, t("Mobile operator")), operator), place, count));
  where();
  bar(button(t("Keep this reading"), async () => {
    const value = numberOf(rsrp.value);
    if (value === null || value < DBM_LEAST || value > DBM_MOST) { rsrp.focus(); return toast(t("RSRP lies between −160 and −20 dBm."), "error"); }
    const here = await ask();
    if (!here) return toast(t("A reading needs a place: allow the position, or go outdoors."), "error");
    await remember("signal-operator", operator.value);
    await enqueue("signal.measure", null, null, { rsrp_dbm: value, operator: operator.value, position: { lon: here.lon, lat: here.lat, accuracy_m: here.accuracy_m ?? null } });
    kept += 1;
    rsrp.value = "";
    fill(count, t("Readings kept: %(n)s", { n: kept }));
    await nudge({ hopeful: true });
  }, { kind: "primary", sign: "check" }));
  const stop = follow(where), timer = setInterval(where, LOOK_MS); // a place that has grown old is not called accurate
  return () => { clearInterval(timer); stop(); };
}
