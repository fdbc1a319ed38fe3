// Where the day leads: visits in the order of their route, then orders in the order of their time. Pure.
import { ofToday } from "./clock.mjs";

const OVER = ["resolved", "returned", "recalled"];

/** The stops that are still to be made: `{kind: "visit" | "order", id, lon, lat, name, thing}`, numbered by their place in the list. */
export function stopsOf(orders, kept, now) {
  const visits = ofToday(kept, "visits", now).filter((visit) => visit.status !== "done" && visit.status !== "dropped")
    .sort((a, b) => (a.stop_no ?? 1e9) - (b.stop_no ?? 1e9) || a.id - b.id)
    .map((visit) => ({ kind: "visit", id: visit.id, lon: visit.site.lon, lat: visit.site.lat, name: visit.site.name, thing: visit }));
  const open = orders.filter((order) => !OVER.includes(order.status) && order.complaint.lon !== null)
    .sort((a, b) => String(a.start).localeCompare(String(b.start)) || a.id - b.id)
    .map((order) => ({ kind: "order", id: order.id, lon: order.complaint.lon, lat: order.complaint.lat, name: order.complaint.place || order.order_no, thing: order }));
  return [...visits, ...open];
}
