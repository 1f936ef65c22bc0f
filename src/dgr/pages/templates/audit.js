// A link to a record opens it; without this script the reader lands on the closed record and opens it by hand.
function show() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && (target.closest("details") || target.querySelector(":scope > details"));
  if (details && !details.open) {
    details.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", show);
show();

// A click on the head of a column sorts by it, once up and once down; a field above a long table keeps the rows that hold a text.
const number = (cell) => parseFloat(cell.textContent.replace("\u2212", "-").replace(/^[<\[+]+/, "").replace("\u2212", "-"));
function sort(head, column) {
  const body = head.closest("table").tBodies[0];
  const up = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of head.parentElement.children) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
  const key = (row) => row.children[column];
  const order = (one, two) => number(key(one)) - number(key(two)) || key(one).textContent.localeCompare(key(two).textContent);
  body.append(...[...body.rows].sort((one, two) => up * order(one, two)));
}
for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head, column));
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(head, column); });
  });
  if (table.tBodies[0].rows.length > 15 && !table.closest(".record")) {
    const field = document.createElement("input");
    field.className = "filter";
    field.type = "search";
    field.placeholder = "Show rows with \u2026";
    field.setAttribute("aria-label", "Show only rows that hold this text: " + table.caption.textContent.trim().slice(0, 60));
    field.addEventListener("input", () => {
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(field.value.toLowerCase());
    });
    table.parentElement.before(field);
  }
}
