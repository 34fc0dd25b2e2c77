// Put at the end of a copy of a report page: uses the page as a reader would and writes what it
// finds into the document as JSON. Runs after the page's own script.
(function () {
  "use strict";
  var found = { contrast: [], texts: 0, captions: [], headings: [], keyboard: [], labels: [] };
  var all = function (selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  };
  function colour(text) {
    var parts = /rgba?\(([^)]*)\)/.exec(text);
    if (!parts) { return null; }
    var numbers = parts[1].split(/[ ,/]+/).filter(Boolean).map(parseFloat);
    return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
  }
  function over(top, alpha, below) {
    return top.map(function (c, i) { return c * alpha + below[i] * (1 - alpha); });
  }
  function luminance(rgb) {
    var linear = rgb.map(function (c) {
      c = c / 255;
      return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }
  function ratio(a, b) {
    var x = luminance(a), y = luminance(b);
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  }
  function ground(element) {
    var layers = [];
    for (var at = element; at; at = at.parentElement) {
      var paint = colour(getComputedStyle(at).backgroundColor);
      if (paint && paint.alpha > 0) { layers.push(paint); }
    }
    return layers.reverse().reduce(function (below, paint) {
      return over(paint.rgb, paint.alpha, below);
    }, [255, 255, 255]);
  }
  function judge(what, ink, behind, style) {
    var size = parseFloat(style.fontSize);
    var large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight, 10) >= 700);
    var got = ratio(ink, behind);
    found.texts += 1;
    if (got < (large ? 3 : 4.5) - 0.005) {
      found.contrast.push(what.trim().slice(0, 40) + ": " + got.toFixed(2));
    }
  }
  function htmlTexts() {
    var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (var node = walker.nextNode(); node; node = walker.nextNode()) {
      var element = node.parentElement;
      if (!node.data.trim() || element.closest("svg, script, style, [hidden]")) { continue; }
      var style = getComputedStyle(element);
      var ink = colour(style.color);
      if (style.display === "none" || !ink) { continue; }
      var behind = ground(element);
      judge(node.data, over(ink.rgb, ink.alpha, behind), behind, style);
    }
  }
  // The text of a figure stands on the page and on the cells drawn before it.
  function figureTexts() {
    all("figure svg").forEach(function (svg) {
      // Of a figure in two widths only the one that is shown has boxes.
      if (!svg.getClientRects().length) { return; }
      var page = ground(svg.parentElement);
      var cells = [];
      all("rect, text", svg).forEach(function (shape) {
        var style = getComputedStyle(shape);
        var box = shape.getBBox();
        var ink = colour(style.fill);
        if (shape.nodeName === "rect") {
          if (ink) {
            var alpha = ink.alpha * parseFloat(style.fillOpacity) * parseFloat(style.opacity);
            cells.push({ box: box, rgb: ink.rgb, alpha: alpha });
          }
          return;
        }
        if (shape.hasAttribute("transform") || !ink) { return; }
        var x = box.x + box.width / 2, y = box.y + box.height / 2;
        var behind = cells.filter(function (cell) {
          var b = cell.box;
          return b.x <= x && x <= b.x + b.width && b.y <= y && y <= b.y + b.height;
        }).reduce(function (below, cell) { return over(cell.rgb, cell.alpha, below); }, page);
        judge(shape.textContent, over(ink.rgb, ink.alpha, behind), behind, style);
      });
    });
  }
  function number(text) {
    return parseFloat(text.trim().replace(/\u2212/g, "-").replace(/[,+<]/g, ""));
  }
  function column(table, index) {
    return Array.prototype.filter.call(table.tBodies[0].rows, function (row) {
      return !row.hidden;
    }).map(function (row) { return row.cells[index].textContent.trim(); });
  }
  function sorting() {
    var table = document.getElementById("table-summary").closest("table");
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var names = heads.map(function (head) { return head.textContent.trim(); });
    var index = names.indexOf("gain");
    var head = heads[index];
    var result = { before: column(table, index) };
    head.querySelector("button").click();
    result.up = column(table, index).filter(Boolean).map(number);
    result.upState = head.getAttribute("aria-sort");
    head.querySelector("button").click();
    result.down = column(table, index).filter(Boolean).map(number);
    result.downState = head.getAttribute("aria-sort");
    result.sorted = heads.filter(function (h) { return h.hasAttribute("aria-sort"); }).length;
    found.sorting = result;
  }
  // One filter for all tables: by words, and by what is known of the rows.
  function filtering() {
    var tools = document.getElementById("filter");
    var rows = all("#tables ~ details table[data-enhance] tbody tr");
    var shown = function () { return rows.filter(function (row) { return !row.hidden; }); };
    var ask = function (tool, value) {
      tool.value = value;
      tool.dispatchEvent(new Event("input", { bubbles: true }));
    };
    var words = tools.querySelector("input"), model = tools.querySelector("[data-by=model]");
    var word = rows[0].cells[1].textContent.trim();
    ask(words, word);
    var left = shown();
    var result = {
      rows: rows.length, left: left.length,
      match: left.every(function (row) { return row.textContent.indexOf(word) !== -1; }),
      status: tools.querySelector("[role=status]").textContent
    };
    ask(words, "");
    var link = document.querySelector(".matrix a[data-model]");
    link.dispatchEvent(new Event("click", { bubbles: true }));
    result.model = model.value;
    result.ofModel = shown().every(function (row) {
      return row.cells[0].textContent.trim() === model.value;
    });
    result.explain = tools.querySelector("[role=status]").textContent.indexOf(" explain ") !== -1;
    ask(model, "");
    result.back = shown().length;
    found.filtering = result;
  }
  // What a figure says of the mark that has the focus.
  function values() {
    var box = all(".wide, .narrow").filter(function (b) { return b.offsetParent !== null; })[0];
    var line = box.parentNode.querySelector(".value");
    box.dispatchEvent(new Event("focus"));
    var first = line.textContent;
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    found.values = [first, line.textContent];
  }
  // As it opens: folds shut.
  function size() {
    found.screens = document.documentElement.scrollHeight / 900;
    var before = "";
    var first = document.querySelector("figure");
    all("h1, main p, header p, main li, h2, h3").forEach(function (part) {
      var above = first.compareDocumentPosition(part) & Node.DOCUMENT_POSITION_PRECEDING;
      if (above && !first.contains(part) && part.offsetParent) { before += " " + part.textContent; }
    });
    found.words = before.split(/\s+/).filter(Boolean).length;
    found.cut = all("figure svg").filter(function (svg) {
      var box = svg.getBoundingClientRect();
      return box.width > 0 && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
    }).length;
  }
  function structure() {
    var level = 0;
    all("h1, h2, h3, h4, h5, h6").forEach(function (heading) {
      var own = parseInt(heading.nodeName.slice(1), 10);
      if (own > level + 1) { found.headings.push(heading.textContent.trim()); }
      level = own;
    });
    found.h1 = all("h1").length;
    found.landmarks = ["main", "header", "nav", "footer"].map(function (name) {
      return all("body > " + name + ", body > header > " + name).length;
    });
    found.lang = document.documentElement.lang;
    found.tables = all("table").length;
    all("table").forEach(function (table) {
      if (!table.caption || !table.caption.textContent.trim()) {
        found.captions.push(table.textContent.trim().slice(0, 40));
      }
    });
    found.figures = all("figure").length;
    all("figure svg").forEach(function (svg) {
      var named = (svg.getAttribute("aria-labelledby") || "").split(" ").every(function (id) {
        return document.getElementById(id);
      });
      if (svg.getAttribute("role") !== "img" || !named) { found.labels.push("a figure"); }
    });
    all("input, select").forEach(function (input) {
      if (!input.labels.length) { found.labels.push(input.id); }
    });
    all("table[data-enhance] thead th").forEach(function (head) {
      var button = head.querySelector("button");
      if (button) { button.focus(); }
      if (!button || button.tabIndex < 0 || document.activeElement !== button) {
        found.keyboard.push(head.textContent.trim());
      }
    });
    all(".scroll").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0) {
        found.keyboard.push("a box that scrolls");
      }
    });
  }
  function overflow() {
    var page = document.documentElement;
    found.width = window.innerWidth;
    found.overflow = page.scrollWidth - page.clientWidth;
    found.wide = all("body *").filter(function (element) {
      var box = element.getBoundingClientRect();
      return box.width > 0 && box.right > page.clientWidth + 1 &&
        !element.closest(".scroll, pre, svg, .skip, .visually-hidden");
    }).slice(0, 5).map(function (element) {
      return element.nodeName + ": " + element.textContent.trim().slice(0, 40);
    });
  }
  function write() {
    var out = document.createElement("pre");
    out.id = "probe-result";
    found.requests = performance.getEntriesByType("resource").map(function (entry) {
      return entry.name;
    }).concat(window.probeRefused || []);
    out.textContent = JSON.stringify(found).replace(/[<>&\u007f-\uffff]/g, function (c) {
      return "\\u" + ("0000" + c.charCodeAt(0).toString(16)).slice(-4);
    });
    if (window.parent === window) {
      document.body.appendChild(out);
    } else {
      window.parent.postMessage(out.textContent, "*");
    }
  }
  function run(name, step) {
    try { step(); } catch (error) { found[name + "Error"] = String(error); }
  }
  found.dark = matchMedia("(prefers-color-scheme: dark)").matches;
  run("size", size);
  run("values", values);
  all("details").forEach(function (part) { part.open = true; });
  run("overflow", overflow);
  run("html", htmlTexts);
  run("figures", figureTexts);
  run("structure", structure);
  run("sorting", sorting);
  run("filtering", filtering);
  // What was refused is told by events that come after this script.
  setTimeout(write, 300);
})();
