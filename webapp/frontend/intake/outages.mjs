// The call-taker is warned as soon as the place is known: service is, or will be, shut off there, why, and until when.
import { ask, el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";

const NAME_MOST = 300;

/** Gives the function that looks again; `place()` is where the call comes from, `join(row)` sends it to another complaint. */
export function outages(form, { calm, join, place }) {
  const box = form.querySelector("[data-outages]");
  const said = form.elements.description;

  /** What the caller is told, kept in the record. */
  function note(row) {
    const words = t("Known shutdown %(no)s: %(reason)s; expected back %(until)s.", { no: row.no, reason: row.reason.slice(0, NAME_MOST), until: row.expected_end_at });
    if (!said.value.includes(row.no)) said.value = [said.value.trim(), words].filter(Boolean).join("\n").slice(0, said.maxLength);
    said.dispatchEvent(new Event("input", { bubbles: true }));
    said.focus();
  }

  const line = (row) => el("li", { dataset: { outage: row.no } },
    el("div", { class: "similar-head" }, el("a", { href: `/outages/${row.id}`, target: "_blank" }, row.no), el("span", { class: "chip" }, row.utility_word),
      el("span", { class: row.status === "running" ? "chip orange" : "chip yellow" }, row.status_word), row.late ? el("span", { class: "chip red" }, t("later than told")) : null),
    el("span", {}, `${row.place} · ${row.reason}`),
    el("span", { class: "small" }, t("%(from)s to %(until)s", { from: row.begins_at, until: row.expected_end_at }), " · ",
      row.within ? t("inside %(area)s", { area: row.area }) : t("%(n)s m from %(name)s", { n: row.metres, name: row.name })),
    el("div", { class: "row" },
      row.incident ? el("button", { type: "button", class: "similar-join", dataset: { joinIncident: row.incident.no }, onclick: () => join({ id: row.incident.lead_id }) }, t("Join incident %(no)s", { no: row.incident.no })) : null,
      el("button", { type: "button", onclick: () => note(row) }, t("Write the known cause down"))));

  return calm(async (signal) => {
    const at = place();
    const utility = form.elements.category.selectedOptions[0]?.dataset.utility ?? "";
    const rows = at ? await ask(`/outages/near.json?${new URLSearchParams({ lon: at.lon, lat: at.lat, utility })}`, { signal }) : [];
    box.hidden = !rows.length;
    fill(box.querySelector("[data-outage-list]"), rows.map(line));
  }, 150);
}
