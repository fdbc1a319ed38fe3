// Where the day leads: visits in the order of their route, then orders in the order of their time. Pure.
const OVER = ["resolved", "returned", "recalled"];

/** Visits of today, out of what the phone keeps (`{today, visits}`); by the server's day when it was told today. */
function visitsOfToday(kept, now) {
  const local = new Date(now);
  const day = `${local.getFullYear()}-${String(local.getMonth() + 1).padStart(2, "0")}-${String(local.getDate()).padStart(2, "0")}`;
  const today = kept?.today > day ? kept.today : day;
  return (kept?.visits ?? []).filter((visit) => visit.on_day === today);
}

/** The stops that are still to be made: `{kind: "visit" | "order", id, lon, lat, name, thing}`, numbered by their place in the list. */
export function stopsOf(orders, kept, now) {
  const visits = visitsOfToday(kept, now).filter((visit) => visit.status !== "done" && visit.status !== "dropped")
    .sort((a, b) => (a.stop_no ?? 1e9) - (b.stop_no ?? 1e9) || a.id - b.id)
    .map((visit) => ({ kind: "visit", id: visit.id, lon: visit.site.lon, lat: visit.site.lat, name: visit.site.name, thing: visit }));
  const open = orders.filter((order) => !OVER.includes(order.status) && order.complaint.lon !== null)
    .sort((a, b) => String(a.start).localeCompare(String(b.start)) || a.id - b.id)
    .map((order) => ({ kind: "order", id: order.id, lon: order.complaint.lon, lat: order.complaint.lat, name: order.complaint.place || order.order_no, thing: order }));
  return [...visits, ...open];
}
