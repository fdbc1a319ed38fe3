// Keeps the whole app on the phone: shell, modules, words, icons. The server writes VERSION and KEPT above this line.
//
// A version is kept whole or not at all: every file must have the SHA-256 it was announced with, or the installation
// fails, the version before goes on working, and the browser tries again later. What waits to be sent lies in IndexedDB,
// which no version of this file ever touches.
const PREFIX = "chengmai-phone-";
const CACHE = PREFIX + VERSION;
const ADDRESSES = new Set(KEPT.map(([address]) => address));

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const answer = kept(event.request);
  if (answer) event.respondWith(answer);
});
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
  if (event.data === "version") event.source?.postMessage({ version: VERSION });
});

async function install() {
  const cache = await caches.open(CACHE);
  const earlier = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  for (const [address, sha256] of KEPT) {
    const answer = (await unchanged(earlier, address, sha256)) ?? (await fetched(address, sha256));
    await cache.put(address, answer);
  }
}

/** A file that did not change is taken from the version before: over a slow link only the difference is loaded. */
async function unchanged(earlier, address, sha256) {
  for (const name of earlier) {
    const found = await (await caches.open(name)).match(address);
    if (found && (await digest(found.clone())) === sha256) return found;
  }
  return null;
}

async function fetched(address, sha256) {
  const answer = await fetch(address, { cache: "reload", credentials: "omit" });
  if (!answer.ok || (await digest(answer.clone())) !== sha256) throw new Error(`${address} is not what was announced`);
  return answer;
}

async function digest(answer) {
  const bytes = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.clients.claim(); // the very first visit already works without signal
}

/** The kept answer of a request, or nothing: then the browser asks the network as if we were not here. */
function kept(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return null;
  const address = request.mode === "navigate" && url.pathname.startsWith("/phone/") ? "/phone/" : url.pathname;
  return ADDRESSES.has(address) ? fromCache(address, request) : null;
}

async function fromCache(address, request) {
  return (await (await caches.open(CACHE)).match(address)) ?? fetch(request);
}
