"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    return "key" in cell.dataset ? Number(cell.dataset.key) : NaN;
  };
  const sort = (column, rising) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const numeric = rows.some((row) => !Number.isNaN(key(row, column)));
    const compare = (a, b) => {
      if (!numeric) {
        const order = a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
        return rising ? order : -order;
      }
      const [x, y] = [key(a, column), key(b, column)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y); // what is missing goes last
      return rising ? x - y : y - x;
    };
    body.append(...rows.sort(compare));
    heads.forEach((head, i) => {
      if (head.hasAttribute("aria-sort")) {
        head.setAttribute("aria-sort", i !== column ? "none" : rising ? "ascending" : "descending");
      }
    });
  };
  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") !== "ascending"));
  });
}
