// Where a crew is and was: how old its position is, in words, and its track of today, for a purpose that is written down.
import { ask, el, fill } from "../common/dom.mjs";
import { t, word } from "../common/words.mjs";
import { short, timeTag } from "./clock.mjs";
import { told } from "./told.mjs";

const PURPOSES = ["find_crew", "safety", "check_visit", "supervision"];

/** “3 minutes ago, ±12 m”, and whether its people switched it off. */
export function positionWords(crew) {
  if (!crew.position_at) return ["—"];
  return [timeTag(el, crew.position_at), crew.accuracy_m ? t(", ±%(m)s m", { m: Math.round(crew.accuracy_m) }) : "",
    crew.hidden_at ? el("span", { class: "chip orange" }, t("Position switched off")) : null].filter(Boolean);
}

/** The track's part of a crew's detail: asked for with a purpose, drawn on the map, hidden again. */
export function trackPart(crew, map, kept) {
  const root = el("section", { class: "part track", "aria-label": t("Track of today") });
  const title = () => el("h3", {}, t("Track of today"));
  const closed = () => { kept.track = null; map.trail(null); fill(root, title(), el("button", { type: "button", class: "small", onclick: choose }, t("Show the track…"))); };

  function choose() {
    const select = el("select", { "aria-label": t("What for?") }, ...PURPOSES.map((purpose) => el("option", { value: purpose }, word("track_purpose", purpose))));
    fill(root, title(), el("form", { class: "row", onsubmit: (event) => { event.preventDefault(); show(select.value); } },
      select, el("button", { class: "primary small" }, t("Show")), el("button", { type: "button", class: "quiet small", onclick: closed }, t("Cancel")),
      el("p", { class: "small soft" }, t("The purpose is written into the journal."))));
    select.focus();
  }

  async function show(purpose) {
    try {
      const { points } = await ask(`/crews/${crew.id}/track`, { method: "POST", body: { purpose } });
      kept.track = { id: crew.id, points, purpose };
      draw(kept.track);
    } catch (problem) {
      closed();
      root.append(el("p", { class: "notice error", role: "alert" }, told(problem)));
    }
  }

  function draw({ points, purpose }) {
    map.trail(points);
    const deeds = points.filter((point) => point.why !== "moving");
    fill(root, title(), el("p", { class: "row" }, el("span", { class: "chip yellow" }, word("track_purpose", purpose)),
      el("span", {}, points.length ? t("%(n)s places, %(from)s – %(to)s", { n: points.length, from: short(points[0].at), to: short(points.at(-1).at) }) : t("Nothing was sent today.")),
      el("button", { type: "button", class: "small", onclick: closed }, t("Hide"))),
    deeds.length ? el("ul", { class: "plain" }, ...deeds.map((point) => el("li", {}, el("button", { type: "button", class: "link", onclick: () => map.goTo(point.lon, point.lat) }, word("why", point.why)), " ", timeTag(el, point.at, short(point.at))))) : null);
  }

  if (kept.track?.id === crew.id) draw(kept.track);
  else closed();
  return root;
}
