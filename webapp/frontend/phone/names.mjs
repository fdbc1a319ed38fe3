// What things are called on the screens: codes of the core as words of the reader.
import { language, t } from "/frontend/common/words.mjs";

const VERBS = { accept: "Accept", arrive: "On site", resolve: "Work done", return: "Give back" };
const OTHERS = { "inspection.amend": "Correction of what was sent", "finding.rectify": "Put right", "finding.reinspect": "Look again", "patrol.visit": "Stop of a patrol visited", "patrol.skip": "Stop of a patrol not visited", "spot.verify": "Verified on the spot", "signal.measure": "Signal measured" };
const PLEDGES = { 1: "Everything posted", 2: "Well prepared", 3: "Neatly dressed", 4: "Clean site", 5: "Good service", 6: "Strict discipline" };
const ANSWERS = { yes: "Yes", no: "No", na: "N/A" };
const CODES = {
  refused: "The server did not accept it.",
  conflict: "It contradicts what the desk has.",
  stale_version: "The desk has changed this order; this step is no longer possible.",
  missing: "This order is no longer this phone's.",
};

/** The button of a verb: 签收. */
export const verbName = (verb) => t(VERBS[verb] ?? verb);

/** What a change is: 签收, 六项承诺检查. */
export const changeName = (kind) => (kind.startsWith("order.") ? verbName(kind.slice("order.".length)) : t(OTHERS[kind] ?? "Six pledges"));

/** A pledge's name. */
export const pledgeName = (number) => t(PLEDGES[number] ?? `Pledge ${number}`);

/** An answer: 是. */
export const answerName = (answer) => t(ANSWERS[answer] ?? answer);

/** An item's text. */
export const itemText = (item) => (language === "zh" ? item.zh : item.en);

/** Why the server said no. */
export const reason = (change) => change.refusedPhoto || change.detail || t(CODES[change.code] ?? CODES.refused);

/** A category of a complaint, as the server named it. */
export const categoryName = (complaint) => complaint.category_name || complaint.category;
