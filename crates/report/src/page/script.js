// Sorting and filtering on top of tables that are complete without it.
(function () {
  "use strict";
  function key(cell) {
    var text = (cell ? cell.textContent : "").trim();
    if (text === "") { return null; }
    var number = text.replace(/\u2212/g, "-").replace(/,/g, "").replace(/^</, "").replace(/^\+/, "");
    // "50 ms" and "1.2 s" sort as seconds; any other word makes the cell text.
    var time = /^(-?[0-9.]+) (ms|s)$/.exec(number);
    if (time) { return parseFloat(time[1]) * (time[2] === "ms" ? 0.001 : 1); }
    return /^-?[0-9]*\.?[0-9]+$/.test(number) ? parseFloat(number) : text;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    if (typeof a === "number") { return -1; }
    if (typeof b === "number") { return 1; }
    return a < b ? -1 : a > b ? 1 : 0;
  }
  function sortable(table) {
    var body = table.tBodies[0];
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        var falling = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        var rows = Array.prototype.map.call(body.rows, function (row, place) {
          return { row: row, place: place, key: key(row.cells[column]) };
        });
        rows.sort(function (a, b) {
          // Empty cells stay last in both directions.
          if (a.key === null || b.key === null) {
            return (a.key === null) - (b.key === null) || a.place - b.place;
          }
          return (falling ? -1 : 1) * compare(a.key, b.key) || a.place - b.place;
        });
        rows.forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  }
  function filterable(table, number) {
    var body = table.tBodies[0];
    if (body.rows.length < 8) { return; }
    var tools = document.createElement("div");
    tools.className = "tools";
    var label = document.createElement("label");
    label.htmlFor = "filter-" + number;
    label.textContent = "Filter rows";
    var input = document.createElement("input");
    input.type = "search";
    input.id = "filter-" + number;
    var shown = document.createElement("span");
    shown.setAttribute("role", "status");
    tools.appendChild(label);
    tools.appendChild(input);
    tools.appendChild(shown);
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      var left = 0;
      Array.prototype.forEach.call(body.rows, function (row) {
        var text = row.textContent.toLowerCase();
        var keep = words.every(function (word) { return text.indexOf(word) !== -1; });
        row.hidden = !keep;
        left += keep ? 1 : 0;
      });
      shown.textContent = words.length ? left + " of " + body.rows.length + " rows" : "";
    });
    var box = table.parentNode;
    box.parentNode.insertBefore(tools, box);
  }
  Array.prototype.forEach.call(document.querySelectorAll("table[data-enhance]"), function (table, number) {
    sortable(table);
    filterable(table, number);
  });
  // A link to a table inside a closed part opens it.
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var part = target; part; part = part.parentNode) {
      if (part.nodeName === "DETAILS") { part.open = true; }
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();
