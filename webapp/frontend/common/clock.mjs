// The server's clock: countdowns are right on a machine whose own clock is wrong, and in the demo, which runs in 2009.
const told = document.querySelector('meta[name="server-now"]')?.content;
let offset = told ? Date.parse(told) - Date.now() : 0;

/** Milliseconds since 1970 by the server's clock. */
export function now() {
  return Date.now() + offset;
}

/** Follow the clock that a reply told in its X-Server-Time header. */
export function follow(reply) {
  const at = Date.parse(reply.headers.get("X-Server-Time") ?? "");
  if (!Number.isNaN(at)) offset = at - Date.now();
}
