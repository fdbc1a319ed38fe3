// Own records as points with a state: draft, ready, sent, failed. Pure; the list beside the map says the same in words.
export const STATES = { draft: "draft", ready: "ready", sent: "sent", failed: "failed" };

/** Points `{key, lon, lat, name, state, at, href}`, newest first; `places` gives where an order or a site is. */
export function recordPoints({ drafts, changes, sent, photos, orders, sites }) {
  const where = placesOf(photos, orders, sites);
  const held = new Map(changes.map((change) => [change.id, change.state === "held"]));
  const lists = drafts.map((draft) => ({
    key: draft.id, ...where(draft), name: draft.title, at: draft.sent_at ?? draft.touched_at,
    state: draft.state === "draft" ? "draft" : draft.state === "sent" ? "sent" : held.get(draft.change_id) ? "failed" : "ready",
    href: draft.state === "draft" ? `#/check/${draft.id}/${draft.page}` : `#/change/${draft.change_id}`,
  }));
  const steps = changes.filter((change) => change.kind.startsWith("order.")).map((change) => ({
    key: change.id, ...where({ position: change.payload.position, order_id: Number(change.thing_id) }), name: change.title, at: change.at,
    state: change.state === "held" ? "failed" : "ready", href: `#/change/${change.id}`,
  }));
  const done = sent.filter((line) => line.thing?.startsWith("order:")).map((line) => ({
    key: line.id, ...where({ order_id: Number(line.thing.slice("order:".length)) }), name: line.title, at: line.sent_at, state: "sent", href: `#/change/${line.id}`,
  }));
  return [...lists, ...steps, ...done].sort((a, b) => String(b.at).localeCompare(String(a.at)));
}

/** Where a record was made: its own position, else that of its newest photo, else its order or site; or nowhere. */
function placesOf(photos, orders, sites) {
  const shots = new Map(photos.filter((photo) => photo.position).map((photo) => [photo.inspection_id, photo.position]));
  const order = new Map(orders.map((one) => [one.id, one.complaint]));
  const site = new Map(sites.map((one) => [one.id, one]));
  return (record) => {
    const found = record.position ?? shots.get(record.id) ?? order.get(record.order_id) ?? site.get(record.site_id);
    return { lon: found?.lon ?? null, lat: found?.lat ?? null };
  };
}
