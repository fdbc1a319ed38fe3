// Small helpers to build pages without innerHTML: text is always text, so nothing stored can ever run.

/** `el("button", {class: "primary", onclick: f}, "派单")`: an element with attributes, listeners and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(node.dataset, value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

/** Replace everything inside `node`. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const csrf = document.querySelector('meta[name="csrf-token"]')?.content;

/** An error of the server, with its stable code: problem+json as an exception. */
export class Problem extends Error {
  constructor(body, status) {
    super(body.detail ?? String(status));
    Object.assign(this, body, { status });
  }
}

/** Ask the desk's own server for JSON; a body is sent as JSON with the CSRF token. Throws `Problem`. */
export async function ask(url, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = csrf;
  const reply = await fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  const type = reply.headers.get("Content-Type") ?? "";
  const data = type.includes("json") ? await reply.json() : { detail: await reply.text() };
  if (!reply.ok) throw new Problem(data, reply.status);
  return data;
}
