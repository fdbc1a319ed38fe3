// Will the phone keep what is entered? Browsers may clear a site's storage under pressure unless they promised not to.
import { remember } from "./db.mjs";

/** Ask for storage that is not cleared; the answer is kept to be shown. */
export async function askPersistence() {
  const promised = await (navigator.storage?.persist?.() ?? false);
  await remember("persistent", promised);
  return promised;
}

/** What is used of what there is: `{persistent, usage, quota}`; unknown figures are `null`. */
export async function standing() {
  const persistent = (await navigator.storage?.persisted?.()) ?? false;
  const { usage = null, quota = null } = (await navigator.storage?.estimate?.()) ?? {};
  return { persistent, usage, quota };
}
