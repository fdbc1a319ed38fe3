// A row of a table shows its place on the map: by a click, or by Enter on it.
/** `go` gets the row; a link or a button in it does what it says. */
export function rows(selector, go) {
  const chosen = (event) => {
    const row = event.target.closest(selector);
    if (!row || event.target.closest("a, button")) return;
    for (const other of document.querySelectorAll("tr.picked")) other.classList.remove("picked");
    row.classList.add("picked");
    go(row);
  };
  document.addEventListener("click", chosen);
  document.addEventListener("keydown", (event) => event.key === "Enter" && chosen(event));
}
