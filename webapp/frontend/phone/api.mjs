// The phone's API: JSON with a bearer token, no cookies. Three kinds of failure, and each is told apart:
// `NoSignal` (nobody answered), `Problem` (the server said no, with a stable code), and a retryable `Problem` (5xx, 429).
import { Problem } from "/frontend/common/dom.mjs";
import { language } from "/frontend/common/words.mjs";
import { patience } from "./backoff.mjs";
import { learn } from "./clock.mjs";
import { recall } from "./db.mjs";

const ROOT = "/api/v1";

/** Nobody answered: no network, a broken connection, or an answer that did not come in time. */
export class NoSignal extends Error {}

/** May the same request succeed later? */
export function passing(error) {
  if (error instanceof NoSignal) return true;
  return error instanceof Problem && (error.status >= 500 || error.status === 429 || error.status === 408);
}

/** Is this phone no longer allowed to speak? */
export const revoked = (error) => error instanceof Problem && error.status === 401;

async function send(path, { method = "GET", body, headers = {}, bytes = 0, token } = {}) {
  const known = token ?? (await recall("token"));
  if (known) headers.Authorization = `Bearer ${known}`;
  const options = { method, body, headers: { Accept: "application/json", "Accept-Language": language, ...headers } };
  try {
    const reply = await fetch(ROOT + path, {
      ...options, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(patience(bytes)),
    });
    learn(reply.headers.get("X-Server-Time"));
    return reply;
  } catch (error) {
    throw new NoSignal(String(error?.message ?? error));
  }
}

async function read(reply) {
  let data;
  try {
    const text = await reply.text();
    data = (reply.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : { detail: text.slice(0, 300) };
  } catch (error) {
    throw new NoSignal(String(error?.message ?? error)); // cut in the middle: we do not know what was meant
  }
  if (reply.ok) return data;
  const problem = new Problem(data, reply.status);
  problem.retryAfter = Number(reply.headers.get("Retry-After")) || 0;
  throw problem;
}

/** Read something. */
export async function get(path) {
  return read(await send(path));
}

/** Send JSON and read the answer. */
export async function post(path, value, options = {}) {
  const body = JSON.stringify(value);
  return read(await send(path, { method: "POST", body, bytes: body.length, headers: { "Content-Type": "application/json" }, ...options }));
}

/** Send JSON and read bytes. */
export async function postForBytes(path, value) {
  const reply = await send(path, { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
  if (!reply.ok) return read(reply);
  try {
    return await reply.arrayBuffer();
  } catch (error) {
    throw new NoSignal(String(error?.message ?? error));
  }
}

/** Hand in changes from a phone that was signed off. Nothing is told but what is kept. */
export const handIn = (length, changes) => post("/quarantine", { queue_length: length, changes });

/** Hand in a photo that one of them names. */
export async function handInPhoto(photo) {
  const headers = { "Content-Type": photo.mime, "X-File-Name": encodeURIComponent(photo.name) };
  return read(await send(`/quarantine/photos/${photo.sha256}`, { method: "PUT", body: photo.blob, bytes: photo.size, headers }));
}

/** Exchange an enrolment code for a token. */
export function enrol(code, deviceName) {
  return post("/enrol", { code, device_name: deviceName }, { token: "" });
}
