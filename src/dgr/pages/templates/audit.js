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
