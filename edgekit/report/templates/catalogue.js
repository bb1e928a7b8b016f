"use strict";
const form = document.getElementById("filters");
const list = document.getElementById("models");
const items = [...list.children];
const value = (id) => document.getElementById(id).value.trim();
const written = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(1)} kB`);

const holds = (data) => {
  const language = value("language");
  const spoken = data.languages.split(" ");
  const limit = value("megabytes");
  return (
    value("words").toLowerCase().split(/\s+/).every((word) => data.words.includes(word)) &&
    ["task", "licence", "kind", "recipe"].every((id) => !value(id) || data[id] === value(id)) &&
    (!language || !data.languages || spoken.includes(language) || spoken.includes("mul")) &&
    (!limit || Number(data[value("precision")]) <= Number(limit) * 1e6) &&
    (!value("device") || data.devices.split(" ").includes(value("device")))
  );
};

const compare = (by) => (a, b) =>
  (by === "parameters"
    ? Number(a.dataset.parameters) - Number(b.dataset.parameters)
    : a.dataset[by].localeCompare(b.dataset[by], "en")) || a.dataset.name.localeCompare(b.dataset.name, "en");

const show = () => {
  const precision = value("precision");
  let shown = 0;
  for (const item of items) {
    item.hidden = !holds(item.dataset);
    shown += item.hidden ? 0 : 1;
    item.querySelector(".bytes").textContent = written(Number(item.dataset[precision]));
    item.querySelector(".at").textContent = precision;
  }
  list.append(...items.sort(compare(value("sort"))));
  document.getElementById("count").textContent = `${shown} of ${items.length} models`;
  document.getElementById("none").hidden = shown > 0;
};

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(show));
show();
