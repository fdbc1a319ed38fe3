// What went wrong, as a sentence of this page's language: the server's own words, or that it could not be reached.
import { t } from "../common/words.mjs";

/** A `Problem` carries the server's sentence; anything else is the network's, in the browser's language. */
export const told = (problem) => (problem?.status ? problem.message : t("The server does not answer. Please check the connection and try again."));
