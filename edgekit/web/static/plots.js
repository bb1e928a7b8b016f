// Plots as SVG. Numbers come from the stream's "timeline": one value a step, in milliseconds.

const SVG = "http://www.w3.org/2000/svg";
export const STACKED = ["wait", "pre", "infer", "post", "sink"];
export const SPAN_MS = 60000;

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Round numbers from 0 to at least `most`, three or four of them.
export function ticks(most) {
  const power = 10 ** Math.floor(Math.log10(most / 3));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => most / s <= 4) ?? 10 * power;
  const found = [];
  for (let i = 0; i * step < most + step; i++) found.push(Number((i * step).toPrecision(6)));
  return found;
}

// A value's place among values in order; 0.98 leaves out single spikes that would flatten everything else.
function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

export function latencyPlot(box, timeline, deadline) {
  const width = Math.max(box.clientWidth, 200), height = box.clientHeight;
  const left = 34, bottom = 16, top = 8;
  const inner = { width: width - left, height: height - bottom - top };
  const stacks = timeline.at_ms.map((_, i) => STACKED.reduce((sum, stage) => sum + timeline.mean_ms[stage][i], 0));
  const most = Math.max(quantile(stacks, 1), quantile(timeline.worst_ms, 0.95), (deadline ?? 0) * 1.08, 0.5);
  const marks = ticks(most), limit = marks.at(-1);
  const x = (at) => left + inner.width * (1 - (timeline.until_ms - at) / SPAN_MS);
  const y = (ms) => top + inner.height * (1 - Math.min(ms, limit) / limit);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}` });
  for (const mark of marks) {
    svg.append(element("line", { class: mark ? "grid" : "base", x1: left, x2: width, y1: y(mark), y2: y(mark) }));
    svg.append(element("text", { x: left - 5, y: y(mark) + 4, "text-anchor": "end" }, String(mark)));
  }
  const barWidth = Math.max((inner.width * timeline.step_ms) / SPAN_MS - 0.6, 1);
  let worst = "";
  timeline.at_ms.forEach((at, i) => {
    const from = Math.max(x(at), left);
    let sum = 0;
    for (const stage of STACKED) {
      const ms = timeline.mean_ms[stage][i];
      const high = y(sum + ms), low = y(sum);
      if (low > high) svg.append(element("rect", { class: stage, x: from, width: barWidth, y: high, height: low - high }));
      sum += ms;
    }
    worst += `M${from.toFixed(1)} ${y(timeline.worst_ms[i]).toFixed(1)}h${barWidth.toFixed(1)}`;
  });
  svg.append(element("path", { class: "worst", d: worst }));
  if (deadline) {
    svg.append(element("line", { class: "deadline", x1: left, x2: width, y1: y(deadline), y2: y(deadline) }));
    svg.append(element("text", { class: "deadline-text", x: width, y: y(deadline) - 4, "text-anchor": "end" }, `deadline ${deadline} ms`));
  }
  for (const [seconds, anchor] of [[60, "start"], [30, "middle"], [0, "end"]]) {
    const label = seconds ? `${seconds} s ago` : "now";
    svg.append(element("text", { x: left + inner.width * (1 - seconds / 60), y: height - 3, "text-anchor": anchor }, label));
  }
  box.replaceChildren(svg);
}

export function sparkline(cell, timeline, stage) {
  const values = timeline.mean_ms[stage];
  const most = Math.max(...values, 1e-6);
  let path = "", last = -Infinity;
  timeline.at_ms.forEach((at, i) => {
    const x = 100 * (1 - (timeline.until_ms - at) / SPAN_MS), y = 19 - (17 * values[i]) / most;
    path += `${at - last > 1.5 * timeline.step_ms ? "M" : "L"}${Math.max(x, 0).toFixed(2)} ${y.toFixed(2)}`;
    last = at;
  });
  const line = element("path", { class: "spark", d: path, "vector-effect": "non-scaling-stroke" });
  cell.replaceChildren(element("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" }, line));
}
