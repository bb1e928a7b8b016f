// One stream of records feeds the page (edgekit/web/records.py). Everything in them is shown as text, never as markup.

import { latencyPlot, sparkline } from "./plots.js";

const SILENCE_MS = 4000;
const COLORS = ["#54d17a", "#5fb3ff", "#ffb454", "#ff7ab2", "#c792ff", "#4fe0d0", "#f5e663", "#ff8f6b"];
const byId = (id) => document.getElementById(id);
const nothing = { figures: null, frame: null, answers: [], bitmap: null, offset: null };
const show = { hello: null, gone: "", ...nothing };

function node(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

const ms = (value) => (value == null ? "–" : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));
const count = (value) => value.toLocaleString("en");
const percent = (value) => `${Math.round(100 * value)} %`;
const words = (cause) => cause.replaceAll("_", " ");
function ago(milliseconds) {
  const seconds = Math.max(milliseconds, 0) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

// The loop's clock, as far as the newest figures tell it.
const loopNow = () => (show.offset == null ? null : performance.now() + show.offset);

// ---------------------------------------------------------------- picture

function colorOf(label) {
  let sum = 2166136261; // FNV-1a
  for (const letter of label) sum = Math.imul(sum ^ letter.codePointAt(0), 16777619) >>> 0;
  return COLORS[(sum >>> 16) % COLORS.length];
}

function drawPicture() {
  const { frame, bitmap } = show;
  if (!frame || !bitmap) return;
  const canvas = byId("canvas"), [width, height] = frame.size_wh;
  const shown = Math.min(canvas.clientWidth || width, 1600) * Math.min(devicePixelRatio || 1, 2);
  const scale = shown / width;
  canvas.width = Math.round(shown);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const unit = (Math.min(devicePixelRatio || 1, 2) * Math.max(canvas.clientWidth, 320)) / 640;
  for (const shape of frame.overlay.shapes ?? []) drawShape(pen, shape, scale, unit);
}

function drawShape(pen, shape, scale, unit) {
  const color = colorOf(frameHasTexts() ? "text" : shape.label);
  pen.strokeStyle = color;
  pen.lineWidth = Math.max(2 * unit, 1.5);
  pen.beginPath();
  shape.points.forEach(([x, y], i) => (i ? pen.lineTo(x * scale, y * scale) : pen.moveTo(x * scale, y * scale)));
  pen.closePath();
  pen.stroke();
  const label = frameHasTexts() ? shape.label : `${shape.label} ${percent(shape.score)}`;
  const size = Math.round(13 * Math.max(unit, 1));
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const wide = pen.measureText(label).width + 0.7 * size, high = 1.45 * size;
  const left = Math.max(Math.min(Math.min(...shape.points.map((p) => p[0])) * scale, pen.canvas.width - wide), 0);
  const above = Math.min(...shape.points.map((p) => p[1])) * scale - high;
  const top = Math.max(above, 0);
  pen.fillStyle = color;
  pen.fillRect(left, top, wide, high);
  pen.fillStyle = "#101316";
  pen.fillText(label, left + 0.35 * size, top + 1.05 * size);
}

const frameHasTexts = () => show.hello?.about.task === "ocr";

function drawFound() {
  const { frame } = show;
  const parts = [`frame ${count(frame.index)}`, frame.name, `${ms(frame.age_ms)} ms`].filter(Boolean);
  byId("caption").replaceChildren(parts.join(" · "));
  if (frame.missed) byId("caption").append(" ", node("span", { className: "late", textContent: "late" }));
  if (frame.overlay.more) byId("caption").append(` · ${frame.overlay.more} more`);
  const classes = frame.overlay.classes ?? [];
  byId("classes").hidden = !classes.length;
  byId("classes").replaceChildren(...classes.map((one) => {
    const fill = node("i");
    fill.style.width = percent(Math.min(Math.max(one.score, 0), 1)).replace(" ", "");
    return node("li", {}, fill, node("span", { textContent: one.label }), node("span", { textContent: `${(100 * one.score).toFixed(1)} %` }));
  }));
  byId("said").hidden = !frame.overlay.text;
  byId("said").textContent = frame.overlay.text ?? "";
}

// ---------------------------------------------------------------- figures

function drawHello() {
  const { about } = show.hello;
  document.title = `${about.bundle} · edgekit camera`;
  byId("title").textContent = about.title || about.bundle;
  byId("source").textContent = about.source + (about.source_fps ? ` · ${Number(about.source_fps.toFixed(2))} frames a second` : "");
  byId("source").title = about.source;
  byId("engine").textContent = `${about.engine}, ${about.threads} thread${about.threads === 1 ? "" : "s"}`;
  byId("misses-tile").hidden = !about.deadline_ms;
  byId("domain").textContent = about.domain;
  const answerer = about.answerer;
  byId("answerer").textContent = answerer ? `${answerer.title}: ${answerer.domain}` : "";
  byId("answerer").title = answerer ? `It cannot ${answerer.cannot.join("; ")}` : "";
  byId("limits").hidden = !about.cannot.length;
  byId("cannot").replaceChildren(...about.cannot.map((line) => node("li", { textContent: line })));
  const rows = show.hello.stages.filter((stage) => stage !== "capture" && stage !== "total").concat("total", "capture");
  byId("stages").replaceChildren(...rows.map((stage) => {
    const cells = ["p50", "p95", "p99"].map((q) => node("td", { id: `${stage}-${q}`, textContent: "–" }));
    return node("tr", { className: stage }, node("th", { className: "chip", scope: "row", textContent: stage }), node("td", { className: "wide", id: `${stage}-line` }), ...cells);
  }));
}

function drawFigures() {
  const { figures } = show.figures, { about, stages } = show.hello;
  const total = figures.latency_ms.total;
  byId("fps").textContent = figures.fps == null ? "–" : figures.fps.toFixed(1);
  for (const q of ["p50", "p95"]) byId(q).replaceChildren(ms(total?.[q]), node("small", { textContent: " ms" }));
  byId("misses").replaceChildren(count(figures.misses), node("small", { textContent: ` of ${count(figures.results)}` }));
  byId("misses-tile").title = Object.entries(figures.misses_by_cause).map(([cause, n]) => `${words(cause)} ${count(n)}`).join(", ");
  byId("misses-tile").classList.toggle("bad", figures.results > 0 && figures.misses > 0.05 * figures.results);
  byId("temperature-tile").hidden = figures.temperature_c == null;
  if (figures.temperature_c != null) byId("temperature").replaceChildren(figures.temperature_c.toFixed(0), node("small", { textContent: " °C" }));
  byId("temperature-tile").classList.toggle("bad", Boolean(figures.throttled));
  byId("temperature-tile").title = figures.throttled;
  for (const stage of stages) {
    const quantiles = figures.latency_ms[stage];
    for (const q of ["p50", "p95", "p99"]) byId(`${stage}-${q}`).textContent = ms(quantiles?.[q]);
    sparkline(byId(`${stage}-line`), figures.timeline, stage);
  }
  byId("latency-note").textContent = "mean of half seconds; dash: slowest frame";
  latencyPlot(byId("latency-plot"), figures.timeline, about.deadline_ms);
  drawFrames(figures.frames);
  drawModel(figures);
}

function drawFrames(frames) {
  const causes = Object.entries(frames.dropped);
  const parts = [["processed", frames.processed, "is-processed"], ...causes.map(([cause, n], i) => [words(cause), n, `is-drop-${i % 5}`])];
  byId("frames-note").textContent = `${count(frames.read)} read`;
  byId("frames-bar").replaceChildren(...parts.filter(([, n]) => n).map(([name, n, style]) => {
    const piece = node("i", { className: style, title: `${name}: ${count(n)}` });
    piece.style.flexGrow = n;
    return piece;
  }));
  const listed = parts.filter(([, n], i) => n || !i).map(([name, n, style], i) => node("li", { className: `chip ${style}`, textContent: `${i ? "dropped: " : ""}${name} ${count(n)}` }));
  if (listed.length === 1) listed.push(node("li", { className: "soft", textContent: "none dropped" }));
  byId("frames").replaceChildren(...listed);
}

function drawModel(figures) {
  const { variant, camera } = figures;
  byId("variant").replaceChildren(variant.name || "–", node("small", { textContent: variant.why ? ` · ${variant.why}` : "" }));
  const drop = variant.drop;
  byId("drop").replaceChildren(
    drop ? `${drop.value.toFixed(2)} points of ${drop.metric}` : "not measured in this bundle",
    node("small", { textContent: drop ? ` · ${Number((100 * drop.confidence).toFixed(1))} % interval ${drop.interval.map((x) => x.toFixed(2)).join(" to ")}` : "" }),
  );
  const changes = Object.entries(camera.changes).filter(([state]) => state !== "live").map(([state, n]) => `${state} ${n}×`);
  byId("camera").replaceChildren(camera.state, node("small", { textContent: [camera.detail, changes.join(", ")].filter(Boolean).map((s) => ` · ${s}`).join("") }));
}

function drawAnswers() {
  byId("answers-card").hidden = !show.answers.length;
  const now = loopNow();
  byId("answers").replaceChildren(...show.answers.map((answer) => {
    const age = now == null ? "" : `frame ${count(answer.frame)}, ${ago(now - answer.frame_ms)} ago`;
    const took = answer.finished ? `${answer.broken_off ? "broken off" : "answered"} after ${ago(answer.delay_ms)}` : "answering";
    return node("article", { className: answer.finished ? "" : "open" },
      node("p", { className: "question", textContent: answer.question }),
      node("p", { className: "text", textContent: answer.text.trimStart() }),
      node("p", { className: "meta", textContent: [age, took, answer.why].filter(Boolean).join(" · ") }));
  }));
}

function drawState() {
  let state = "waiting", text = "connecting", notice = "";
  const camera = show.figures?.figures.camera;
  if (show.gone) [state, text, notice] = ["gone", "offline", show.gone];
  else if (show.figures?.ended) [state, text, notice] = ["waiting", "ended", "The run has ended."];
  else if (camera && camera.state !== "live") [state, text, notice] = [camera.state, camera.state, `Camera ${camera.state} for ${ago(camera.since_ms)}: ${camera.detail}`];
  else if (show.frame) [state, text] = ["live", "live"];
  else if (show.figures) [text, notice] = ["waiting", "Waiting for the first frame."];
  byId("state").dataset.state = state;
  byId("state").textContent = text;
  byId("notice").hidden = !notice;
  byId("notice").textContent = notice;
}

// ---------------------------------------------------------------- stream

async function take(record, picture) {
  show.gone = "";
  if (record.kind === "hello") { Object.assign(show, nothing, { hello: record }); drawHello(); drawAnswers(); } // perhaps of another run
  if (record.kind === "figures") {
    show.figures = record;
    show.offset = record.figures.at_ms - performance.now();
    if (show.hello) drawFigures();
    drawAnswers();
  }
  if (record.kind === "answers") { show.answers = record.answers; drawAnswers(); }
  if (record.kind === "frame") {
    const bitmap = await createImageBitmap(new Blob([picture], { type: "image/jpeg" }));
    show.bitmap?.close();
    Object.assign(show, { frame: record, bitmap });
    drawPicture();
    drawFound();
  }
  drawState();
}

// Reads the stream to its end. `heard` is called when something comes.
async function listen(signal, heard) {
  const answer = await fetch("/stream", { cache: "no-store", signal });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const reader = answer.body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    heard();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    while (held.length >= 8) {
      const lengths = new DataView(held.buffer, held.byteOffset);
      const json = lengths.getUint32(0), picture = lengths.getUint32(4);
      if (held.length < 8 + json + picture) break;
      const record = JSON.parse(new TextDecoder().decode(held.subarray(8, 8 + json)));
      await take(record, held.slice(8 + json, 8 + json + picture));
      held = held.subarray(8 + json + picture);
    }
  }
}

// A connection whose other end is gone may never say so: what is silent for too long is given up.
async function run() {
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    const line = new AbortController();
    const patience = () => setTimeout(() => line.abort(), SILENCE_MS);
    let silence = patience(), why = "The stream ended; trying again.";
    try {
      await listen(line.signal, () => { clearTimeout(silence); silence = patience(); pause = 500; });
    } catch (error) {
      why = error instanceof TypeError ? "The camera's program does not answer." : error.message;
    }
    if (line.signal.aborted) why = `Nothing was heard for ${ago(SILENCE_MS)}; trying again.`;
    clearTimeout(silence);
    line.abort(); // what failed half-way shall not be a viewer any longer
    if (!show.figures?.ended) show.gone = why;
    drawState();
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

addEventListener("resize", drawPicture);
run();
