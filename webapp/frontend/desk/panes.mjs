// Panes that resize and remember; on a phone each is a page of its own. And the size of the type, for a wall.
const LEAST = 240;
const STEP = 24;
const KEY = "desk-width-";

/** Make a separator move the width of the pane beside it: by pointer, by arrow keys; double click gives the first width back. */
export function resizable(separator, desk, { name, side, onresize }) {
  const property = `--${name}-width`;
  const most = () => Math.max(LEAST, innerWidth * 0.45);
  const set = (width) => {
    const fits = Math.round(Math.min(Math.max(width, LEAST), most()));
    desk.style.setProperty(property, `${fits}px`);
    separator.setAttribute("aria-valuenow", fits);
    separator.setAttribute("aria-valuemin", LEAST);
    separator.setAttribute("aria-valuemax", Math.round(most()));
    localStorage.setItem(KEY + name, fits);
    onresize();
  };
  const pane = () => document.getElementById(separator.getAttribute("aria-controls"));
  const kept = Number(localStorage.getItem(KEY + name));
  if (kept >= LEAST) set(kept);
  else separator.setAttribute("aria-valuenow", Math.round(pane().getBoundingClientRect().width));
  separator.addEventListener("pointerdown", (event) => {
    separator.setPointerCapture(event.pointerId);
    const start = event.clientX, width = pane().getBoundingClientRect().width;
    const move = (e) => set(width + (side === "left" ? e.clientX - start : start - e.clientX));
    separator.addEventListener("pointermove", move);
    separator.addEventListener("pointerup", () => separator.removeEventListener("pointermove", move), { once: true });
  });
  separator.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    set(pane().getBoundingClientRect().width + (side === "left" ? by : -by));
  });
  separator.addEventListener("dblclick", () => {
    desk.style.removeProperty(property);
    localStorage.removeItem(KEY + name);
    onresize();
  });
}

/** The switch at the bottom of a phone: which pane is the page now. */
export function pageSwitch(nav, desk, view, onshow) {
  const draw = () => {
    desk.dataset.pane = view.pane;
    for (const button of nav.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.pane === view.pane));
    onshow();
  };
  nav.addEventListener("click", (event) => {
    const pane = event.target.closest("button")?.dataset.pane;
    if (pane) view.change({ pane });
  });
  view.addEventListener("pane", draw);
  draw();
}

/** Text for the desk, for a large screen, for a wall three metres away: remembered on this machine. */
export function wallSize(select, onresize) {
  const root = document.documentElement;
  const set = (size) => {
    root.style.fontSize = size === "1" ? "" : `${16 * Number(size)}px`;
    root.dispatchEvent(new CustomEvent("textsizechange"));
    onresize();
  };
  const kept = localStorage.getItem("desk-text-size") ?? "1";
  select.value = kept;
  set(select.value || "1");
  select.addEventListener("change", () => {
    localStorage.setItem("desk-text-size", select.value);
    set(select.value);
  });
}
