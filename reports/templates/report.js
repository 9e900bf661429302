// SPDX-License-Identifier: Apache-2.0
"use strict";
(() => {
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  const text_order = new Intl.Collator("en", {numeric: true});
  const value = (row, column) => Number(row.cells[column].dataset.value ?? NaN);
  const text = (row, column) => row.cells[column].textContent;

  // By value, then by text; cells with neither come last in both directions.
  const compare = (column, sign) => (a, b) => {
    const [x, y] = [value(a, column), value(b, column)];
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    if (!isNaN(x)) return sign * (x - y);
    const [s, t] = [text(a, column), text(b, column)];
    if (!s !== !t) return s ? -1 : 1;
    return sign * text_order.compare(s, t);
  };

  const next_order = {none: "ascending", ascending: "descending", descending: "none"};

  const make_sortable = (table, rows) => {
    const headings = Array.from(table.tHead.rows[0].cells);
    headings.forEach((heading, column) => {
      heading.ariaSort = "none";
      const button = make("button", {type: "button"}, ...heading.childNodes);
      button.addEventListener("click", () => {
        const order = next_order[heading.ariaSort];
        for (const other of headings) other.ariaSort = "none";
        heading.ariaSort = order;
        const sign = order === "descending" ? -1 : 1;
        const sorted = order === "none" ? rows : rows.toSorted(compare(column, sign));
        table.tBodies[0].append(...sorted);
      });
      heading.append(button);
    });
  };

  const make_filterable = (table, rows) => {
    const input = make("input", {type: "search", autocomplete: "off"});
    const count = make("output", {}, `${rows.length} rows`);
    const texts = rows.map((row) =>
      Array.from(row.cells, (cell) => cell.title || cell.textContent).join(" ").toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      rows.forEach((row, i) => { row.hidden = !words.every((word) => texts[i].includes(word)); });
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    });
    table.closest(".box").before(
      make("div", {className: "filter"}, make("label", {}, "Rows with ", input), " ", count));
  };

  for (const table of document.querySelectorAll(".box:not(.facts) > table")) {
    const rows = Array.from(table.tBodies[0].rows);
    if (rows.length > 1) make_sortable(table, rows);
    if (rows.length > 7) make_filterable(table, rows);
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = document.documentElement.dataset;
  const toggle = make("button", {type: "button", className: "theme"}, "Dark colours");
  const is_dark = () => (theme.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const show = () => { toggle.ariaPressed = String(is_dark()); };
  toggle.addEventListener("click", () => { theme.theme = is_dark() ? "light" : "dark"; show(); });
  dark.addEventListener("change", show);
  show();
  document.querySelector("header").append(toggle);

  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
