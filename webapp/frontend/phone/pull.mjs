// What the desk has for this phone: orders, sites, checklists. A thing that is gone there goes here too, unless something
// about it still waits to be sent; then it stays, marked, until that is settled.
import { t, word } from "/frontend/common/words.mjs";
import * as api from "./api.mjs";
import { now } from "./clock.mjs";
import { db, recall, remember } from "./db.mjs";
import { hold, rebase } from "./outbox.mjs";
import { toast } from "./parts.mjs";
import { steps, withChanges } from "./rules.mjs";

const LISTS_FRESH_MS = 10 * 60_000;
const KEEP_SENT_MS = 30 * 24 * 3_600_000;

/**
 * Bring orders up to date by cursor. All `orders` are asked for after a step of one was delivered (the caller's number comes
 * with the acceptance, and must not wait behind a long import at the desk), everything when the lists are old or `full`.
 */
export async function pull({ full = false, orders = false } = {}) {
  const stale = full || Date.now() - (await recall("lists_at", 0)) > LISTS_FRESH_MS;
  if (stale) await pullLists();
  if (stale && (await recall("cursor"))) await pullChanged(); // what was taken back is told with its reason
  if (stale || orders) await pullFindings();
  if (stale || orders || !(await recall("cursor"))) await pullOrders();
  else if (await pullChanged()) await Promise.all([pullLists(), pullOrders(), pullFindings()]); // the person may see something else than before
  await rebaseAll();
  await tidyUp();
}

/** All orders: one that is not among them is gone. */
async function pullOrders() {
  const { orders, cursor } = await api.get("/orders");
  await db.transaction("rw", db.orders, db.outbox, db.keep, async () => {
    const there = new Set(orders.map((order) => order.id));
    await putAway((await db.orders.toArray()).filter((order) => !there.has(order.id)));
    await db.orders.bulkPut(orders);
    await remember("cursor", cursor);
  });
}

/** What waits to be looked at again, or to be put right. */
async function pullFindings() {
  await remember("findings", (await api.get("/findings")).findings);
}

/** What changed since the last time; what is over or gone is put away. Returns whether the person's rights are others. */
async function pullChanged() {
  let rights = await recall("rights");
  const before = rights;
  for (let more = true; more;) {
    const page = await api.get(`/sync?after=${encodeURIComponent(await recall("cursor"))}`);
    await tellRecalled(page.orders);
    const gone = (thing) => page.gone.filter((one) => one.thing === thing).map((one) => one.id);
    await db.transaction("rw", db.orders, db.sites, db.outbox, db.keep, async () => {
      const over = (order) => order.status === "returned" || order.status === "recalled";
      await db.orders.bulkPut(page.orders);
      await db.sites.bulkPut(page.sites);
      await putAway([...page.orders.filter(over), ...gone("order").map((id) => ({ id }))]);
      await db.sites.bulkDelete(gone("site"));
      await remember("cursor", page.cursor);
      await remember("rights", page.rights);
    });
    rights = page.rights;
    more = page.more;
  }
  return before !== null && before !== rights;
}

/** What the desk took back goes away with a word why; only what was on this phone and is not known to be gone. */
async function tellRecalled(orders) {
  for (const order of orders.filter((o) => o.status === "recalled" && o.mine)) {
    const had = await db.orders.get(order.id);
    if (!had || had.status === "recalled") continue;
    toast(t("The desk took back %(place)s: %(why)s", { place: order.complaint.place || order.order_no, why: word("reason", order.recall_reason ?? "by_desk") }));
  }
}

async function putAway(orders) {
  const waiting = new Set((await db.outbox.toArray()).map((change) => change.thing));
  for (const order of orders) {
    if (waiting.has(`order:${order.id}`)) await db.orders.update(order.id, { gone: true });
    else await db.orders.delete(order.id);
  }
}

/** Person, sites, visits and checklists; a list a draft was started with is kept as long as the draft. */
export async function pullLists() {
  const [me, sites, checklists, visits, patrols, spots] = await Promise.all([api.get("/me"), api.get("/sites"), api.get("/checklists"), api.get("/visits"), api.get("/patrols"), api.get("/spots")]);
  const lists = checklists.checklists;
  await db.transaction("rw", db.sites, db.checklists, db.drafts, async () => {
    await db.sites.clear();
    await db.sites.bulkPut(sites.sites);
    const used = new Set((await db.drafts.toArray()).map((d) => `${d.checklist_code} ${d.checklist_revision}`));
    const fresh = new Set(lists.map((list) => `${list.code} ${list.revision}`));
    const old = (await db.checklists.toArray()).filter((l) => !fresh.has(`${l.code} ${l.revision}`));
    await db.checklists.bulkDelete(old.filter((l) => !used.has(`${l.code} ${l.revision}`)).map((l) => [l.code, l.revision]));
    await db.checklists.bulkPut(lists.map((list) => ({ ...list, current: 1 })));
    await db.checklists.where("code").notEqual("").modify((list) => { list.current = fresh.has(`${list.code} ${list.revision}`) ? 1 : 0; });
  });
  await remember("me", { ...me.user, crew: me.crew, device_id: me.device_id });
  await remember("on_shift", me.on_shift);
  await remember("visits", visits);
  await remember("patrols", patrols);
  await remember("spots", spots.spots);
  await remember("lists_at", Date.now());
}

/** Changes refused because their order moved on: made again on its new version where the step is still possible. */
async function rebaseAll() {
  const flagged = (await db.outbox.toArray()).filter((change) => change.rebase);
  for (const thing of new Set(flagged.map((change) => change.thing))) {
    const chain = (await db.outbox.where("thing").equals(thing).sortBy("seq")).filter((c) => c.state === "waiting" && !c.uncertain);
    let order = await db.orders.get(Number(thing.split(":")[1]));
    for (const change of chain) {
      const verb = change.kind.split(".")[1];
      if (order && !order.gone && steps(order.status).includes(verb)) {
        await rebase(change, order.version);
        order = withChanges(order, [change]);
      } else {
        await hold(change, "conflict", order ? "stale_version" : "missing", null);
      }
      await db.outbox.update(change.seq, { rebase: false });
    }
  }
}

async function tidyUp() {
  const limit = new Date(now() - KEEP_SENT_MS).toISOString();
  await db.sent.where("sent_at").below(limit).delete();
  const old = (await db.drafts.where("state").equals("sent").toArray()).filter((d) => d.sent_at < limit);
  const owing = new Set(await db.photos.orderBy("inspection_id").uniqueKeys()); // its photos have not all followed it
  await db.drafts.bulkDelete(old.map((d) => d.id).filter((id) => !owing.has(id)));
}
