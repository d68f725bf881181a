// The map: points are thumbnails where there is room and dots where there is none, so that fifty thousand stay usable.
"use strict";

const facts = JSON.parse(document.getElementById("facts").textContent);
const canvas = document.getElementById("map");
const context = canvas.getContext("2d");
const label = document.getElementById("label");
const list = document.getElementById("list");
const counted = document.getElementById("counted");
const COUNT = facts.x.length;
const FULL = 65535; // coordinates run from 0 to this
const CELLS = 64; // on a side, of the grid that points are looked up in
const NEAR = 14; // screen pixels within which a pointer is over a point
const CLOSEST = Math.max(8, Math.sqrt(COUNT) / 4); // beyond, a screen would show no point at most places
const LISTED = 300; // thumbnails in the list at most; names are all there

const view = { x: FULL / 2, y: FULL / 2, scale: 1 }; // centre, and screen pixels a unit
const chosen = new Set();
let only = null; // the cluster that is shown alone
let lit = -1;
let box = null; // while a box is drawn: its two corners on the screen
let waiting = false;

const sheets = facts.sprites.map((address) => {
  const image = new Image();
  image.addEventListener("load", redraw);
  image.src = address;
  return image;
});

const colours = facts.clusters.map((_, index) => `hsl(${(index * 137.5) % 360} 65% 55%)`);
const colour = (point) => (facts.cluster[point] < 0 ? "#9a938a" : colours[facts.cluster[point]]);

const cells = Array.from({ length: CELLS * CELLS }, () => []);
const cell = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor((value / (FULL + 1)) * CELLS)));
for (let point = 0; point < COUNT; point += 1) {
  cells[cell(facts.y[point]) * CELLS + cell(facts.x[point])].push(point);
}

const across = (point) => (facts.x[point] - view.x) * view.scale + canvas.clientWidth / 2;
const down = (point) => (facts.y[point] - view.y) * view.scale + canvas.clientHeight / 2;
const shown = (point) => only === null || facts.cluster[point] === only;

function* within(left, top, right, bottom) {
  const unit = (value, size, centre) => (value - size / 2) / view.scale + centre;
  const [x0, x1] = [left, right].map((v) => unit(v, canvas.clientWidth, view.x));
  const [y0, y1] = [top, bottom].map((v) => unit(v, canvas.clientHeight, view.y));
  for (let row = cell(y0); row <= cell(y1); row += 1) {
    for (let column = cell(x0); column <= cell(x1); column += 1) {
      for (const point of cells[row * CELLS + column]) {
        const [x, y] = [facts.x[point], facts.y[point]];
        if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && shown(point)) yield point;
      }
    }
  }
}

function thumbnail(target, point, left, top, side) {
  const place = point % facts.per_sprite;
  const sheet = sheets[Math.floor(point / facts.per_sprite)];
  if (!sheet.complete || !sheet.naturalWidth) return;
  const x = (place % facts.columns) * facts.side;
  const y = Math.floor(place / facts.columns) * facts.side;
  target.drawImage(sheet, x, y, facts.side, facts.side, left, top, side, side);
}

function draw() {
  waiting = false;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  // Pictures grow as one comes closer; where they would cover each other, only the first is drawn.
  const side = Math.min(64, Math.max(24, facts.side * Math.sqrt(view.scale / home())));
  const taken = new Set();
  const pictured = [];
  for (const point of within(-side, -side, width + side, height + side)) {
    const [x, y] = [across(point), down(point)];
    const place = Math.floor(y / side) * 4096 + Math.floor(x / side);
    if (!taken.has(place)) {
      taken.add(place);
      pictured.push(point);
    }
    context.fillStyle = colour(point);
    context.fillRect(x - 1.5, y - 1.5, 3, 3);
  }
  context.lineWidth = 2;
  for (const point of pictured) {
    const [left, top] = [across(point) - side / 2, down(point) - side / 2];
    thumbnail(context, point, left, top, side);
    context.strokeStyle = colour(point);
    context.strokeRect(left, top, side, side);
  }
  context.lineWidth = 3;
  context.strokeStyle = getComputedStyle(document.body).color;
  for (const point of chosen) context.strokeRect(across(point) - 5, down(point) - 5, 10, 10);
  if (lit >= 0) {
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    const [left, top, size] = [across(lit) - 48, down(lit) - 48, 96];
    context.fillRect(left - 3, top - 3, size + 6, size + 6);
    thumbnail(context, lit, left, top, size);
    context.strokeStyle = colour(lit);
    context.strokeRect(left, top, size, size);
  }
  if (box) {
    context.setLineDash([6, 4]);
    context.lineWidth = 1.5;
    context.strokeRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
    context.setLineDash([]);
  }
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(draw);
}

const home = () => (Math.min(canvas.clientWidth, canvas.clientHeight) * 0.92) / FULL;

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.min(home() * CLOSEST, Math.max(home() * 0.5, view.scale * factor));
  const [dx, dy] = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
  view.x += dx / view.scale - dx / scale;
  view.y += dy / view.scale - dy / scale;
  view.scale = scale;
  redraw();
}

function whole() {
  Object.assign(view, { x: FULL / 2, y: FULL / 2, scale: home() });
  redraw();
}

function nearest(x, y) {
  let best = -1;
  let least = NEAR * NEAR;
  for (const point of within(x - NEAR, y - NEAR, x + NEAR, y + NEAR)) {
    const far = (across(point) - x) ** 2 + (down(point) - y) ** 2;
    if (far < least) [best, least] = [point, far];
  }
  return best;
}

const called = (point) => {
  const index = facts.cluster[point];
  return `${facts.names[point]} (${index < 0 ? "in no cluster" : facts.clusters[index].name})`;
};

function relist() {
  const points = [...chosen].sort((a, b) => a - b);
  counted.textContent = points.length ? `${points.length.toLocaleString("en")} chosen` : "nothing chosen";
  list.replaceChildren(
    ...points.slice(0, LISTED).map((point) => {
      const item = document.createElement("li");
      const small = document.createElement("canvas");
      small.width = small.height = 48;
      thumbnail(small.getContext("2d"), point, 0, 0, 48);
      const name = document.createElement("span");
      name.textContent = facts.names[point];
      item.append(small, name);
      return item;
    }),
  );
  if (points.length > LISTED) {
    const more = document.createElement("li");
    more.textContent = `and ${(points.length - LISTED).toLocaleString("en")} more, which are in the list that you save`;
    list.append(more);
  }
  redraw();
}

const held = new Map(); // pointers that are down, by their number
let moved = false;
let boxing = false;
const place = (event) => {
  const edge = canvas.getBoundingClientRect();
  return [event.clientX - edge.left, event.clientY - edge.top];
};

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, place(event));
  moved = false;
  boxing = event.shiftKey || document.getElementById("choose").checked;
  if (boxing) box = [...place(event), ...place(event)];
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = place(event);
  const before = held.get(event.pointerId);
  if (!before) {
    const found = nearest(x, y);
    if (found !== lit) {
      lit = found;
      label.textContent = lit >= 0 ? called(lit) : "";
      redraw();
    }
    return;
  }
  if (Math.hypot(x - before[0], y - before[1]) > 2) moved = true;
  if (held.size === 2) {
    const [other] = [...held].filter(([number]) => number !== event.pointerId).map(([, at]) => at);
    const [was, is] = [before, [x, y]].map((at) => Math.hypot(at[0] - other[0], at[1] - other[1]));
    if (was > 0) zoom(is / was, (x + other[0]) / 2, (y + other[1]) / 2);
  } else if (boxing) {
    box = [box[0], box[1], x, y];
  } else {
    view.x -= (x - before[0]) / view.scale;
    view.y -= (y - before[1]) / view.scale;
  }
  if (!boxing) held.set(event.pointerId, [x, y]);
  redraw();
});
function release(event) {
  if (!held.delete(event.pointerId)) return;
  if (box && moved) {
    const [left, right] = [box[0], box[2]].sort((a, b) => a - b);
    const [top, bottom] = [box[1], box[3]].sort((a, b) => a - b);
    for (const point of within(left, top, right, bottom)) chosen.add(point);
    relist();
  } else if (!moved) {
    const found = nearest(...place(event));
    if (found >= 0) {
      if (!chosen.delete(found)) chosen.add(found);
      relist();
    }
  }
  box = null;
  redraw();
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...place(event));
  },
  { passive: false },
);
canvas.addEventListener("keydown", (event) => {
  const step = 60 / view.scale;
  const keys = {
    "+": () => zoom(1.3),
    "=": () => zoom(1.3),
    "-": () => zoom(1 / 1.3),
    0: whole,
    ArrowLeft: () => (view.x -= step),
    ArrowRight: () => (view.x += step),
    ArrowUp: () => (view.y -= step),
    ArrowDown: () => (view.y += step),
    Escape: () => {
      chosen.clear();
      relist();
    },
  };
  if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
  redraw();
});

document.getElementById("in").addEventListener("click", () => zoom(1.5));
document.getElementById("out").addEventListener("click", () => zoom(1 / 1.5));
document.getElementById("whole").addEventListener("click", whole);
document.getElementById("none").addEventListener("click", () => {
  chosen.clear();
  relist();
});
document.getElementById("save").addEventListener("click", () => {
  const names = [...chosen].sort((a, b) => a - b).map((point) => facts.names[point]);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([names.join("\n") + "\n"], { type: "text/plain" }));
  link.download = "chosen.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
const legend = document.getElementById("legend");
facts.clusters.forEach((cluster, index) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `${cluster.name}: ${cluster.size.toLocaleString("en")}`;
  button.style.borderColor = colours[index];
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    only = only === index ? null : index;
    [...legend.children].forEach((other, place_) =>
      other.setAttribute("aria-pressed", String(only === place_)),
    );
    redraw();
  });
  legend.append(button);
});
window.addEventListener("resize", redraw);
relist();
whole();
