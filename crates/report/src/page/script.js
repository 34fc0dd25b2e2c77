// Sorting, one filter and values on focus, on top of a page that is complete without them.
(function () {
  "use strict";
  var all = function (what, within) { return Array.prototype.slice.call((within || document).querySelectorAll(what)); };
  function key(cell) {
    var text = (cell ? cell.textContent : "").trim();
    if (text === "") { return null; }
    var number = text.replace(/\u2212/g, "-").replace(/,/g, "").replace(/^[<+]/, "").replace(/ \[.*\]$/, "").replace(/\*$/, "");
    return /^-?[0-9]*\.?[0-9]+$/.test(number) ? parseFloat(number) : text;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    if (typeof a === "number") { return -1; }
    if (typeof b === "number") { return 1; }
    return a < b ? -1 : a > b ? 1 : 0;
  }
  function sortable(table) {
    var body = table.tBodies[0], heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
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
  all("table[data-enhance]").forEach(sortable);

  var filter = document.getElementById("filter");
  if (filter) {
    var about = JSON.parse(document.getElementById("about").textContent);
    var tables = all("#tables ~ details table[data-enhance]").map(function (table) {
      var heads = all("thead th", table).map(function (head) { return head.textContent; });
      return { body: table.tBodies[0], column: function (name) { return heads.indexOf(name); } };
    });
    var status = filter.querySelector("[role=status]"), words = filter.querySelector("input");
    var selects = all("select", filter);
    filter.hidden = false;
    // A row without a column says nothing about what is asked of it, and stays.
    var holds = function (table, row, by, wanted) {
      var of = by === "family" ? "correction" : by === "model" ? "model" : "dataset";
      var at = table.column(of);
      if (at < 0) { return true; }
      var own = row.cells[at].textContent;
      return (by === "model" ? own : about[by][own]) === wanted;
    };
    var apply = function () {
      var sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var left = 0, rows = 0, cell = "";
      tables.forEach(function (table) {
        Array.prototype.forEach.call(table.body.rows, function (row) {
          var text = row.textContent.toLowerCase();
          var keep = sought.every(function (word) { return text.indexOf(word) !== -1; }) &&
            selects.every(function (select) {
              return select.value === "" || holds(table, row, select.getAttribute("data-by"), select.value);
            });
          row.hidden = !keep;
          rows += 1;
          left += keep ? 1 : 0;
          cell = cell || (keep && row.getAttribute("data-cell")) || "";
        });
      });
      status.textContent = left === rows ? "" : left + " of " + rows + " rows" + (cell ? "; " + about.explain + " " + cell : "");
    };
    selects.concat(words).forEach(function (tool) { tool.addEventListener("input", apply); });
    all("a[data-model]").forEach(function (link) {
      link.addEventListener("click", function () {
        filter.querySelector("[data-by=model]").value = link.getAttribute("data-model");
        apply();
      });
    });
  }

  // Values of a figure: under the pointer, and by the arrow keys when it has the focus.
  all("figure").forEach(function (figure) {
    var line = document.createElement("p"), at = -1;
    line.className = "value";
    line.setAttribute("aria-live", "polite");
    figure.insertBefore(line, figure.querySelector("figcaption"));
    all(".wide, .narrow", figure).forEach(function (box) {
      var marks = all("g > title", box).map(function (title) { return title.parentNode; });
      var show = function (mark) {
        marks.forEach(function (other) { other.classList.toggle("on", other === mark); });
        line.textContent = mark ? mark.querySelector("title").textContent : "";
      };
      box.addEventListener("pointerover", function (event) {
        var mark = event.target.closest && event.target.closest("g");
        if (mark && marks.indexOf(mark) !== -1) { at = marks.indexOf(mark); show(mark); }
      });
      box.addEventListener("keydown", function (event) {
        var step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
        if (!step || !marks.length) { return; }
        event.preventDefault();
        at = (at + step + marks.length) % marks.length;
        show(marks[at]);
      });
      box.addEventListener("focus", function () { if (at < 0 && marks.length) { at = 0; show(marks[0]); } });
    });
  });

  // A link to a part inside a closed one opens it.
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var part = target; part; part = part.parentNode) {
      if (part.nodeName === "DETAILS") { part.open = true; }
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
  // Folds print open.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = all("details:not([open])");
    opened.forEach(function (part) { part.open = true; });
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (part) { part.open = false; }); });
})();
