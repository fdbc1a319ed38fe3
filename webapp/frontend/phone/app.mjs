// The phone app: which screen is on, and what runs beside it. Addresses are after `#`, so the app is one kept page.
import * as banner from "./banner.mjs";
import * as frame from "./frame.mjs";
import { fill, el } from "/frontend/common/dom.mjs";
import { t } from "/frontend/common/words.mjs";
import { recall } from "./db.mjs";
import { interrupted, markLeft, markOpen } from "./drafts.mjs";
import * as sync from "./sync.mjs";
import * as track from "./track.mjs";
import * as update from "./update.mjs";
import * as change from "./change.mjs";
import * as check from "./check.mjs";
import * as correction from "./correction.mjs";
import * as finding from "./finding.mjs";
import * as enrol from "./enrol.mjs";
import * as records from "./records.mjs";
import * as me from "./me.mjs";
import * as order from "./order.mjs";
import * as patrol from "./patrol.mjs";
import * as recover from "./recover.mjs";
import * as review from "./review.mjs";
import * as signal from "./signal.mjs";
import * as spot from "./spot.mjs";
import * as stop from "./stop.mjs";
import * as today from "./today.mjs";

const SCREENS = [
  [/^#\/today$/, today], [/^#\/order\/(\d+)$/, order], [/^#\/finding\/(\d+)$/, finding], [/^#\/fill$/, records], [/^#\/me$/, me],
  [/^#\/check\/([\w-]+)\/(\d+)$/, check], [/^#\/check\/([\w-]+)\/end$/, review], [/^#\/change\/([\w-]+)$/, change],
  [/^#\/correct\/([\w-]+)$/, correction], [/^#\/patrol\/(\d+)$/, patrol], [/^#\/stop\/(\d+)$/, stop],
  [/^#\/spot\/([a-z_]+)-(\d+)$/, spot], [/^#\/signal$/, signal],
];
const main = document.getElementById("main");
let leave = () => {};
let shown = "";

async function show() {
  frame.open(location.hash);
  if (location.hash.startsWith("#enrol=") || !(await recall("token"))) return open(enrol, []);
  for (const [pattern, screen] of SCREENS) {
    const found = pattern.exec(location.hash);
    if (found) return open(screen, found.slice(1));
  }
  frame.instead("#/today");
}

/** Leave the old screen (it writes down what it holds) and open the new one at its top. */
async function open(screen, params) {
  await leave();
  leave = () => {};
  if (screen !== check && screen !== review) await markOpen(null);
  fill(main);
  main.className = "";
  leave = (await screen.open(main, ...params)) ?? (() => {});
  if (shown !== location.hash) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  shown = location.hash;
}

let turn = Promise.resolve();
const inTurn = () => {
  frame.hold(); // the buttons of the screen that is going must not take a tap meant for the one that comes
  turn = turn.then(show).catch(broken);
};

function broken(error) {
  console.error(error);
  const full = error?.name === "QuotaExceededError" || error?.inner?.name === "QuotaExceededError";
  banner.alarm(full ? t("The phone's storage is full: free some space, nothing new can be kept") : t("Something broke on this phone; what you entered before is kept"));
}

async function begin() {
  if (!isSecureContext || !navigator.locks || !crypto.subtle) {
    fill(main, el("p", { class: "notice error" }, t("This app needs a secure address (https). Ask the desk for the right link.")));
    return;
  }
  addEventListener("unhandledrejection", (event) => broken(event.reason));
  addEventListener("pagehide", () => markLeft(true));
  addEventListener("pageshow", () => markLeft(false));
  const lost = await interrupted();
  banner.begin();
  frame.begin();
  update.begin();
  addEventListener("hashchange", inTurn);
  inTurn();
  await turn;
  if (lost) recover.ask(lost);
  sync.begin();
  track.begin();
}

begin().catch(broken);
