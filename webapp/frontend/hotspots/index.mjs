// The planner's page: filters apply themselves, and a row of the table and a cell of the map are one selection. The map lives
// in a sandboxed frame without an origin: only a theme and a number go in, only a number comes out.
import { onPaper } from "../common/paper.mjs";

const frame = document.querySelector("iframe[data-map]");
const root = document.documentElement;
let ready = false;

function theme() {
  return root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function tell(message) {
  if (ready) frame.contentWindow.postMessage(message, "*"); // the frame has no origin that could be named
}

function mark(number) {
  let found = null;
  for (const row of document.querySelectorAll("tr[data-cell]")) {
    const here = Number(row.dataset.cell) === number;
    row.toggleAttribute("aria-selected", here);
    if (here) found = row;
  }
  return found;
}

function turnTo(number) {
  const url = new URL(location.href);
  url.searchParams.set("page", String(Math.ceil(number / Number(frame.dataset.pageRows))));
  url.searchParams.set("cell_no", String(number));
  location.assign(url);
}

function choose(row) {
  const number = Number(row.dataset.cell);
  mark(number);
  tell({ focus: number });
}

if (frame) {
  onPaper(frame);
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.data === null || typeof event.data !== "object") return;
    if (event.data.chengmai === "ready") {
      ready = true;
      document.querySelector("[data-loading]").hidden = true;
      tell({ theme: theme() });
      const wanted = Number(frame.dataset.focus);
      if (wanted) {
        tell({ focus: wanted });
        mark(wanted)?.scrollIntoView({ block: "center" });
      }
    }
    if (event.data.chengmai === "cell" && Number.isInteger(event.data.number) && event.data.number > 0) {
      const row = mark(event.data.number);
      if (row) row.scrollIntoView({ block: "nearest" });
      else turnTo(event.data.number);
    }
  });
  root.addEventListener("themechange", () => tell({ theme: theme() }));
  for (const row of document.querySelectorAll("tr[data-cell]")) {
    row.addEventListener("click", () => {
      choose(row);
      frame.scrollIntoView({ block: "nearest" });
    });
    row.addEventListener("keydown", (event) => {
      if (event.key === "Enter") choose(row);
    });
  }
}

const form = document.querySelector("form[data-filters]");
form?.addEventListener("change", (event) => {
  const { cell, reach } = form.elements;
  if (event.target === cell) reach.disabled = true; // the radius is in cells: another size brings its own default
  if (event.target.type === "date" && !form.checkValidity()) return;
  if (event.target.type !== "date") form.requestSubmit();
});
// Empty fields do not belong into the address.
form?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
