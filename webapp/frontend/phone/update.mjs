// A new version of the app: loaded beside the running one, taken over when the person says so or at the next start.
// The queue lies in IndexedDB and is not touched by it.
import { t } from "/frontend/common/words.mjs";
import { remember } from "./db.mjs";
import { button, sheet } from "./parts.mjs";
import { el } from "/frontend/common/dom.mjs";

const CHECK_MS = 30 * 60_000;
let taking = false;

/** Register the worker and watch for a newer one. */
export async function begin() {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => taking && location.reload());
  navigator.serviceWorker.addEventListener("message", ({ data }) => data?.version && remember("app_version", data.version));
  const registration = await navigator.serviceWorker.register("/phone/sw.js", { scope: "/phone/", updateViaCache: "none" }).catch(() => null);
  if (!registration) return; // without signal on the first visit; or the browser forbids it
  registration.addEventListener("updatefound", () => {
    const fresh = registration.installing;
    fresh?.addEventListener("statechange", () => fresh.state === "installed" && navigator.serviceWorker.controller && offer(fresh));
  });
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  navigator.serviceWorker.ready.then(({ active }) => active?.postMessage("version"));
  setInterval(() => registration.update().catch(() => {}), CHECK_MS);
}

async function offer(worker) {
  if (document.querySelector("dialog.sheet")) return; // at the next start, then
  const now = await sheet(t("A new version is ready"), (close) => [
    el("p", { class: "soft" }, t("What you entered and what waits to be sent stays on this phone.")),
    el("div", { class: "stack" }, button(t("Use it now"), () => close(true), { kind: "primary" }), button(t("Later"), () => close(false))),
  ]);
  if (!now) return;
  taking = true;
  worker.postMessage("activate");
}
