// The upper edge of the board's drawer: drawn by pointer, by arrow keys; double click gives the first height back.
const KEY = "desk-board-height";
const LEAST = 150;
const STEP = 24;

export function heightEdge(edge, desk, onresize) {
  const pane = () => document.getElementById(edge.getAttribute("aria-controls"));
  const most = () => Math.max(LEAST, desk.getBoundingClientRect().height * 0.7);
  const set = (height) => {
    const fits = Math.round(Math.min(Math.max(height, LEAST), most()));
    desk.style.setProperty("--board-height", `${fits}px`);
    for (const [name, value] of [["now", fits], ["min", LEAST], ["max", Math.round(most())]]) edge.setAttribute(`aria-value${name}`, value);
    localStorage.setItem(KEY, fits);
    onresize();
  };
  const kept = Number(localStorage.getItem(KEY));
  if (kept >= LEAST) set(kept);
  else edge.setAttribute("aria-valuenow", Math.round(desk.getBoundingClientRect().height * 0.38));
  edge.addEventListener("pointerdown", (event) => {
    edge.setPointerCapture(event.pointerId);
    const start = event.clientY, height = pane().getBoundingClientRect().height;
    const move = (e) => set(height + start - e.clientY);
    edge.addEventListener("pointermove", move);
    edge.addEventListener("pointerup", () => edge.removeEventListener("pointermove", move), { once: true });
  });
  edge.addEventListener("keydown", (event) => {
    const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    set(pane().getBoundingClientRect().height + by);
  });
  edge.addEventListener("dblclick", () => { desk.style.removeProperty("--board-height"); localStorage.removeItem(KEY); onresize(); });
}
