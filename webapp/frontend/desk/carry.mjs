// Carrying a complaint or an order with the pointer: from the tray, a block, a card of the list or a point of the map, to a
// crew and a time of the board or to a crew on the map. Esc puts it back. Everything here also goes by keyboard and by form.
import { el, fill } from "../common/dom.mjs";
import { t } from "../common/words.mjs";
import { inWords } from "./placing.mjs";
import { say } from "./toast.mjs";

const FAR = 6; // pixels before a press becomes a carry

export class Carry {
  #desk; #board; #label = null; #held = null;

  constructor(desk) {
    this.#desk = desk; this.#board = desk.board;
    this.#from($("board"), (event) => event.target.closest("[data-complaint]"));
    this.#from($("cases"), (event) => event.target.closest("li[data-id]"));
    $("cases").addEventListener("dragstart", (event) => event.preventDefault()); // a link would be carried as an address
  }

  /** A point of the map was pressed; true when it may be carried away from there. */
  fromMap(id, event) {
    if (!this.#desk.can.assign || event.button !== 0 || event.ctrlKey || event.shiftKey) return false;
    this.#press(event, id, 0);
    return true;
  }

  /** The words beside the pointer follow what the server foresees. */
  tell(found) {
    if (!this.#label) return;
    this.#label.classList.toggle("against", Boolean(found?.violations.length));
    fill(this.#label, el("strong", {}, this.#held.name), found ? el("span", {}, inWords(found)) : null);
  }

  #from(root, find) {
    root.addEventListener("pointerdown", (event) => {
      if (!this.#desk.can.assign || event.button !== 0 || event.pointerType === "touch" || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("input")) return;
      const node = find(event);
      if (!node) return;
      const isBlock = node.classList.contains("block");
      this.#press(event, node.dataset.complaint ?? node.dataset.id, isBlock ? event.clientX - node.getBoundingClientRect().left : 0);
    });
  }

  #press(event, id, grabX) {
    const stop = new AbortController(), { signal } = stop;
    const begun = { x: event.clientX, y: event.clientY };
    let carried = false, last = event;
    const thing = this.#board.known(id);
    const finish = () => { stop.abort(); this.#letGo(carried); };
    addEventListener("pointermove", (e) => {
      last = e;
      if (!carried) {
        if (Math.hypot(e.clientX - begun.x, e.clientY - begun.y) < FAR) return;
        carried = this.#pickUp(id, thing, grabX);
        if (!carried) return finish();
      }
      e.preventDefault();
      this.#over(e);
    }, { signal });
    addEventListener("pointerup", async (e) => {
      if (!carried) return finish();
      const target = this.#over(e), held = this.#held;
      stop.abort();
      swallowClick();
      this.#letGo(true, true);
      await this.#drop(held, target);
    }, { signal });
    addEventListener("pointercancel", finish, { signal });
    addEventListener("keydown", (e) => { if (e.key === "Escape" && carried) { e.preventDefault(); e.stopPropagation(); this.#board.cancel(); finish(); } }, { signal, capture: true });
    const nudge = setInterval(() => { if (signal.aborted) clearInterval(nudge); else if (carried) { this.#board.nudge(last.clientX, last.clientY); } }, 40);
  }

  #pickUp(id, thing, grabX) {
    if (thing?.order?.locked) { say(t("This order is locked to its crew and time; unlock it first."), "error"); return false; }
    const card = this.#desk.store.get(id);
    this.#held = { id, thing, grabX, name: thing?.complaint.place || card?.place || thing?.complaint.hotline_no || "" };
    this.#label = el("div", { class: "carried" }, el("strong", {}, this.#held.name));
    document.body.append(this.#label);
    document.body.classList.add("carrying");
    this.#board.hold(true);
    if (!thing) this.#board.thing(id).then((found) => { if (this.#held?.id === id) this.#held.thing = found; }, () => {});
    return true;
  }

  /** Follow the pointer: what is under it, and what that would mean. */
  #over(event) {
    const held = this.#held;
    this.#label.style.transform = `translate(${Math.min(event.clientX + 14, innerWidth - 300)}px, ${Math.max(event.clientY - 54, 4)}px)`;
    let target = this.#board.targetAt(event.clientX, event.clientY, held.grabX) ?? this.#desk.map.crewAt(event.clientX, event.clientY);
    if (target?.start === null && held.thing?.order && Number(held.thing.order.crew_id) === target.crewId) target = null; // it is there already
    if (target?.crewId && held.thing) this.#board.propose(held.thing, target);
    else if (!target?.crewId) { this.#board.cancel(); this.#board.hold(true); this.tell(null); }
    return target;
  }

  async #drop(held, target) {
    const thing = held.thing ?? await this.#board.thing(held.id).catch(() => null);
    if (!thing || !target) return this.#board.cancel();
    if (target.tray) { this.#board.cancel(); return this.#board.takeBack(thing); }
    this.#board.propose(thing, target);
    return this.#board.drop();
  }

  #letGo(carried, dropped = false) {
    this.#label?.remove();
    this.#label = this.#held = null;
    document.body.classList.remove("carrying");
    if (!carried) return;
    if (!dropped) this.#board.cancel();
    this.#board.hold(false);
  }
}

/** The release is no click. A key's click (detail 0) and the next press are not the release: a timer may run after both. */
function swallowClick() {
  const stop = new AbortController(), { signal } = stop;
  addEventListener("click", (click) => { if (click.detail) { click.preventDefault(); click.stopPropagation(); } }, { signal, capture: true });
  addEventListener("pointerdown", () => stop.abort(), { signal, capture: true });
  setTimeout(() => stop.abort(), 0);
}

const $ = (id) => document.getElementById(id);
