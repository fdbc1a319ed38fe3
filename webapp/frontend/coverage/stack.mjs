// On a narrow screen the rows of a table become blocks; each value is then told with its column's name.
for (const table of document.querySelectorAll("table.stack")) {
  const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  for (const row of table.querySelectorAll("tbody tr")) [...row.cells].forEach((cell, i) => { if (i) cell.dataset.label = names[i] ?? ""; });
}
