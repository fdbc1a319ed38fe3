// What is typed is kept on this device until it has arrived: words in localStorage, photos in IndexedDB. Where a browser
// allows neither (private windows), the form works all the same and nothing else breaks.

const KEY = "chengmai-report";
const RECEIPT = "chengmai-receipt";

/** An id for one sending, also where `crypto.randomUUID` is missing (plain HTTP). */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // full or forbidden: the page still holds it
  }
}

export const words = { load: () => read(KEY), save: (draft) => write(KEY, draft), clear: () => write(KEY, null) };
export const receipt = { load: () => read(RECEIPT), save: (given) => write(RECEIPT, given), clear: () => write(RECEIPT, null) };

// --- photos ------------------------------------------------------------------------------------------------------------
let opened = null;

function database() {
  opened ??= new Promise((resolve) => {
    try {
      const asked = indexedDB.open("chengmai-report", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("photos");
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

async function run(mode, act) {
  const db = await database();
  if (!db) return null;
  return new Promise((resolve) => {
    const asked = act(db.transaction("photos", mode).objectStore("photos"));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => resolve(null);
  });
}

export const photos = {
  load: async () => (await run("readonly", (store) => store.get("all"))) ?? [],
  save: (list) => run("readwrite", (store) => store.put(list, "all")),
  clear: () => run("readwrite", (store) => store.delete("all")),
};
