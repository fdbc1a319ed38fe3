// Canonical JSON and SHA-256: what the phone hashes is, byte for byte, what the server hashes.

/** JSON with sorted keys and no spaces. Keys without a value are left out, as `JSON.stringify` leaves them out. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map((v) => canonical(v ?? null)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** SHA-256 of a text (as UTF-8) or of bytes, in hexadecimal. */
export async function sha256(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The hash of a change: of its content, without its id. */
export function changeSha256({ kind, thing_id, base_version, at, payload, after }) {
  return sha256(canonical({ kind, thing_id, base_version, at, payload, after: after ?? undefined }));
}

/** A number that JavaScript and Python write alike: rounded, and never so small that either uses an exponent. */
export function tidy(number, digits = 6) {
  if (number === null || number === undefined || !Number.isFinite(number)) return null;
  const rounded = Number(number.toFixed(digits));
  return Math.abs(rounded) < 1e-4 ? 0 : rounded;
}

/** Text that the server takes: no control characters, and half a character (a cut emoji) becomes the replacement mark. */
export function wellFormed(raw) {
  const text = raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "");
  return typeof text.toWellFormed === "function" ? text.toWellFormed() : new TextDecoder().decode(new TextEncoder().encode(text));
}
