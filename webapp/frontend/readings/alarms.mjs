// The list of alarms follows the journal: when an alarm opened, cleared or was noted, the list is asked anew.
import { t } from "../common/words.mjs";

const SOON_MS = 500; // several changes that come together are one asking
const list = document.getElementById("alarms");
const follows = document.getElementById("follows");
let cursor = null;
let asked = 0;
let planned = false; // the server said that the browser is to come again: no fault

async function renew() {
  if (list.contains(document.activeElement) && document.activeElement.name === "note") return later(); // somebody is writing a note
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("alarms");
  if (fresh) list.replaceChildren(...fresh.childNodes);
}

function later() {
  clearTimeout(asked);
  asked = setTimeout(renew, SOON_MS);
}

function listen() {
  const source = new EventSource(cursor === null ? "/events" : `/events?after=${encodeURIComponent(cursor)}`);
  const note = (event) => { if (event.lastEventId) cursor = event.lastEventId; };
  source.addEventListener("hello", (event) => { note(event); planned = false; follows.textContent = t("The list follows by itself."); });
  source.addEventListener("change", (event) => {
    note(event);
    const rows = JSON.parse(event.data);
    if (rows.some((row) => row.thing === "alarm")) later();
  });
  source.addEventListener("reload", (event) => { note(event); later(); });
  source.addEventListener("again", () => { planned = true; });
  source.addEventListener("error", () => { if (!planned) follows.textContent = t("The line is broken; it is tried again."); });
}

if (list.dataset.live) listen();
