// The page of a review: what the mouse and the keys do, and what stands around the grid.

import { Blocks } from "./blocks.js";
import { described, Grid } from "./grid.js";
import { ask, Gone, settled, tell } from "./server.js";

const DWELL = 700; // milliseconds in sight after which a picture counts as looked at
const SMALLEST = 28, LARGEST = 256; // pixels, of a picture on the screen

const $ = (id) => document.getElementById(id);
const number = (count) => count.toLocaleString("en");
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
const kept = (key, usual) => sessionStorage.getItem(key) ?? usual;

// The secret has become a cookie; it need not stay in the address bar or in the history.
history.replaceState(null, "", "/");

const about = await ask("/set").catch(sayFailed);
let state = await ask("/state").catch(sayFailed);
let view = null;
let shown = { filter: kept("filter", "kept"), sort: kept("sort", "source") };
let last = null; // the place decided last, and what was decided
let looks = 0; // how often a view was asked for
let changesSince = 0; // decisions since the view was made
let learntAt = 0; // how many were rejected by hand when it was learnt
let dwelling = 0, sight = "";

const blocks = new Blocks({
  size: about.block,
  columns: about.columns,
  arrived: () => { grid.refresh(); },
  failed: (error, outdated) => (outdated ? look() : sayFailed(error)),
});
const grid = new Grid($("scroller"), $("grid"), blocks, { moved: () => { tellDetails(); dwell(); } });

// What is shown -----------------------------------------------------------------------------------

async function look({ at = 0 } = {}) {
  const turn = ++looks;
  for (const [name, word] of Object.entries(shown)) sessionStorage.setItem(name, word);
  try {
    await settled();
    const found = await ask("/view", shown);
    if (turn !== looks) return; // something else was chosen meanwhile
    view = found;
  } catch (error) {
    if (error instanceof Gone) return sayFailed(error);
    if (shown.sort === "source" && shown.filter === "kept") return sayFailed(error);
    shown = { filter: "kept", sort: "source" }; // as an order that was learnt in a session before
    return look();
  }
  changesSince = 0;
  sight = "";
  const mixed = ["kept", "all", "undecided", "new"].includes(shown.filter);
  // Among rejected pictures, they are what is looked at.
  grid.show(view.view, view.count, about.side, { faded: mixed ? 0.3 : 0.65 });
  if (at) grid.moveTo(at);
  tellState();
  $("empty").hidden = view.count > 0;
  $("empty").textContent = shown.filter === "kept" ? "No picture is kept." : "There is nothing of the kind.";
}

function change(words) {
  shown = { ...shown, ...words };
  $("filter").value = shown.filter;
  $("sort").value = shown.sort;
  return look();
}

// What is decided ---------------------------------------------------------------------------------

// Shows a decision at once, and takes it back if impasto could not keep it.
async function decide(places, keep, { plainly = false } = {}) {
  const [start, end] = places;
  const before = [];
  let whole = true;
  for (let place = start; place < end; place += 1) {
    const picture = blocks.picture(place);
    if (!picture) { whole = false; continue; }
    if (!plainly && picture.kept === keep) continue;
    const hand = !plainly && (picture.rule === null) === keep ? null : keep;
    before.push([picture.slot, picture.hand]);
    blocks.mark([[picture.slot, hand]]);
  }
  grid.lit = null;
  grid.refresh();
  last = { place: end - 1, keep };
  const what = whole ? { slots: before.map(([slot]) => slot) } : { view: view.view, start, end };
  if (whole && !before.length) return;
  try {
    heed(await tell("/decide", { ...what, keep, plainly }));
    if (end - start > 1) toast(`${plural(end - start, "picture")} ${keep ? "kept" : "rejected"}`);
  } catch (error) {
    blocks.mark(before);
    grid.refresh();
    sayNotSaved(error, whole ? before.length : end - start);
  }
}

function toggle(place) {
  const picture = blocks.picture(place);
  if (picture) decide([place, place + 1], !picture.kept);
}

function toggleSince(place) {
  if (!last) return toggle(place);
  decide(stretch(last.place, place), last.keep);
}

const stretch = (one, other) => [Math.min(one, other), Math.max(one, other) + 1];

async function step(path, word) {
  try {
    const answer = await tell(path);
    heed(answer);
    const count = answer.changed.length;
    toast(count ? `${word}: ${plural(count, "picture")}` : `Nothing to ${path.slice(1)}`);
    const place = count === 1 ? blocks.placeOf(answer.changed[0][0]) : -1;
    if (place >= 0) grid.moveTo(place);
  } catch (error) {
    sayNotSaved(error, 1);
  }
}

function heed(answer) {
  if (answer.changed?.length) {
    changesSince += 1;
    blocks.markForGood(answer.changed);
    grid.refresh();
  }
  state = { counts: answer.counts, learning: answer.learning };
  $("alert").hidden = true;
  tellState();
}

// What was looked at: in sight for a while, and nothing moved meanwhile.
function dwell() {
  const now = view ? `${view.view} ${grid.inSight}` : "";
  if (now === sight) return;
  sight = now;
  clearTimeout(dwelling);
  dwelling = setTimeout(async () => {
    const [start, end] = grid.inSight;
    if (document.hidden || end <= start) { sight = ""; return; }
    for (let place = start; place < end; place += 1) {
      if (!blocks.picture(place)) { sight = ""; grid.refresh(); return; } // not loaded is not looked at
    }
    try {
      heed(await tell("/seen", { view: view.view, start, end }));
    } catch (error) {
      if (error instanceof Gone) sayFailed(error);
    }
  }, DWELL);
}

// What is learnt ----------------------------------------------------------------------------------

async function learn() {
  try {
    heed(await tell("/learn"));
    await watchLearning();
    if (state.learning.phase === "ready") await change({ filter: "kept", sort: "likeliest" });
  } catch (error) {
    error instanceof Gone ? sayFailed(error) : say(error.message);
  }
}

async function watchLearning() {
  while (["features", "fitting"].includes(state.learning.phase)) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    state = await ask("/state");
    tellState();
  }
  learntAt = state.counts.rejected_by_hand;
  tellState();
}

function tellLearning() {
  const { phase, done, total, features, message, auroc, spread, rejected, passed } = state.learning;
  const { rejected_by_hand: judged, seen } = state.counts;
  const busy = phase === "features" || phase === "fitting";
  const ready = phase === "ready";
  const enough = judged >= about.fewest && seen - judged >= about.fewest;
  const text = $("learning-text");
  $("learning").classList.toggle("busy", busy);
  $("learning-bar").hidden = !busy;
  $("learning-bar").value = total ? done / total : 0;
  $("learn").hidden = busy || !enough || (ready && judged <= learntAt);
  $("learn").textContent = ready ? `Learn again from ${number(judged)}` : `Learn from ${number(judged)} rejected`;
  $("likeliest").hidden = !ready || shown.sort === "likeliest";
  if (phase === "failed") text.textContent = `Learning failed: ${message}.`;
  else if (phase === "features") text.textContent = `Looking at all pictures once: ${number(done)} of ${number(total)}`;
  else if (phase === "fitting") text.textContent = "Learning from what you rejected";
  else if (ready) {
    const doubt = auroc - spread < 0.6 ? "; hardly better than a coin, so do not trust it yet" : "";
    text.textContent = `Learnt from ${number(rejected)} rejected and ${number(passed)} passed over: AUROC ${auroc.toFixed(2)} ± ${spread.toFixed(2)} on pictures left out of the fit (1 is perfect, 0.5 a coin${doubt}). From ${features}.`;
  } else if (enough) text.textContent = `The rest can be sorted by how likely you are to reject them too. From ${features}.`;
  else if (judged >= about.fewest) text.textContent = `Look at ${about.fewest} or more that you keep, and the rest can be sorted by how likely you are to reject them.`;
  else text.textContent = `Reject ${about.fewest} or more, and the rest can be sorted by how likely you are to reject them too (${number(judged)} so far).`;
  text.title = text.textContent;
}

// What is told ------------------------------------------------------------------------------------

function tellState() {
  const { counts } = state;
  $("counts").replaceChildren(
    ...[["kept", counts.kept], ["rejected", counts.rejected], ["by you", counts.by_hand]].map(([word, count]) => {
      const part = document.createElement("span");
      part.className = word.replace(" ", "-");
      const figure = document.createElement("b");
      figure.textContent = number(count);
      part.append(figure, ` ${word}`);
      return part;
    }),
  );
  $("undo").disabled = !counts.undoable;
  $("redo").disabled = !counts.redoable;
  $("renew").hidden = !changesSince;
  fillChoices($("filter"), shown.filter, Object.entries(about.filters)
    .filter(([name]) => name in counts.filters || name === shown.filter)
    .map(([name, title]) => [name, `${title} (${number(counts.filters[name] ?? 0)})`]));
  const learnt = state.learning.auroc !== null;
  fillChoices($("sort"), shown.sort, Object.entries(about.sorts)
    .filter(([name]) => learnt || !["likeliest", "unsure"].includes(name)));
  tellLearning();
}

function fillChoices(select, chosen, choices) {
  const said = JSON.stringify([chosen, choices]);
  if (select.said === said || (document.activeElement === select && select.matches(":open, :active"))) return;
  select.said = said;
  select.replaceChildren(...choices.map(([value, title]) => new Option(title, value, false, value === chosen)));
}

function tellDetails() {
  const place = grid.hovered ?? grid.cursor;
  const picture = blocks.picture(place);
  const said = picture ? `${place} ${picture.slot} ${picture.hand} ${picture.likelihood}` : "";
  if ($("details").said === said) return;
  $("details").said = said;
  if (!picture) return $("details").replaceChildren();
  const parts = [["name", picture.name], ["state", described(picture), picture.kept ? "is-kept" : "is-rejected"]];
  if (!picture.kept && picture.detail && picture.hand === null) parts.push(["why", picture.detail]);
  if (picture.likelihood !== null) parts.push(["like", `${Math.round(100 * picture.likelihood)}% like those you rejected`]);
  const measures = Object.entries(picture.measures).map(([name, value]) => `${name} ${value.toPrecision(3)}`);
  if (picture.width) measures.unshift(`${picture.width}×${picture.height}`);
  parts.push(["numbers", measures.join("  ")], ["place", `${number(place + 1)} of ${number(view.count)}`]);
  $("details").replaceChildren(...parts.map(([name, text, more = ""]) => {
    const part = document.createElement("span");
    part.className = `${name} ${more}`;
    part.textContent = text;
    return part;
  }));
}

function say(message) {
  $("alert").textContent = message;
  $("alert").hidden = false;
}

function sayNotSaved(error, count) {
  const why = error instanceof Gone
    ? "impasto does not answer. Start `impasto review` again, and open the address that it prints"
    : error.message;
  say(`Not saved: ${plural(count, "picture")}. ${why}.`);
}

function sayFailed(error) {
  say(error instanceof Gone
    ? "impasto does not answer: what you decide now is not saved. Start `impasto review` again, and open the address that it prints."
    : `impasto: ${error.message}`);
}

let toasting = 0;
function toast(message) {
  $("toast").textContent = message;
  $("toast").classList.add("on");
  clearTimeout(toasting);
  toasting = setTimeout(() => $("toast").classList.remove("on"), 1800);
}

// The mouse, and fingers --------------------------------------------------------------------------

let pressed = null; // where the mouse went down
let finger = false;
let pointer = { x: 0, y: 0 };

$("grid").addEventListener("pointerdown", (event) => {
  finger = event.pointerType !== "mouse";
  const place = grid.placeOf(event.target);
  if (finger || event.button !== 0 || place === null || !blocks.picture(place)) return;
  event.preventDefault();
  $("grid").focus({ preventScroll: true });
  $("grid").classList.add("by-mouse");
  grid.moveTo(place, { reveal: false });
  if (event.shiftKey) return toggleSince(place);
  pressed = { place, to: place, keep: !blocks.picture(place).kept };
});

document.addEventListener("pointermove", (event) => {
  pointer = { x: event.clientX, y: event.clientY };
  grid.hover(event.pointerType === "mouse" ? grid.placeOf(event.target) : null);
  if (pressed) drag();
  tellDetails();
});

function drag() {
  const place = grid.placeOf(document.elementFromPoint(pointer.x, pointer.y));
  if (place !== null && place !== pressed.to) {
    pressed.to = place;
    $("grid").dataset.drag = pressed.keep ? "keep" : "reject";
    grid.pick(stretch(pressed.place, place));
  }
  const box = $("scroller").getBoundingClientRect();
  const beyond = Math.min(0, pointer.y - box.top - 24) + Math.max(0, pointer.y - box.bottom + 24);
  if (beyond && !pressed.frame) {
    pressed.frame = requestAnimationFrame(() => {
      if (!pressed) return;
      pressed.frame = 0;
      $("scroller").scrollTop += Math.max(-40, Math.min(40, beyond / 2));
      drag();
    });
  }
}

function letGo() {
  pressed = null;
  delete $("grid").dataset.drag;
  grid.pick(null);
}

document.addEventListener("pointerup", () => {
  if (!pressed) return;
  const { place, to, keep } = pressed;
  letGo();
  grid.moveTo(to, { reveal: false });
  decide(stretch(place, to), keep);
});
document.addEventListener("pointercancel", letGo);

$("grid").addEventListener("click", (event) => {
  const place = grid.placeOf(event.target);
  if (!finger || place === null) return;
  $("grid").classList.add("by-mouse");
  grid.moveTo(place, { reveal: false });
  toggle(place);
});

// The keys ----------------------------------------------------------------------------------------

const page = () => grid.rowsInSight * grid.columns;
const KEYS = {
  ArrowLeft: () => grid.moveTo(grid.cursor - 1),
  ArrowRight: () => grid.moveTo(grid.cursor + 1),
  ArrowUp: () => grid.cursor >= grid.columns && grid.moveTo(grid.cursor - grid.columns),
  ArrowDown: () => grid.moveTo(grid.cursor + grid.columns),
  PageUp: () => grid.moveTo(Math.max(grid.cursor % grid.columns, grid.cursor - page())),
  PageDown: () => grid.moveTo(grid.cursor + page()),
  Home: () => grid.moveTo(0),
  End: () => grid.moveTo(grid.count - 1),
  x: () => toggle(grid.cursor),
  " ": () => toggle(grid.cursor),
  X: () => toggleSince(grid.cursor),
  k: () => decide([grid.cursor, grid.cursor + 1], true, { plainly: true }),
  u: () => step("/undo", "Undone"),
  U: () => step("/redo", "Done again"),
  r: () => look({ at: Math.min(grid.cursor, grid.count - 1) }),
  f: () => open($("filter")),
  s: () => open($("sort")),
  "?": () => $("help").showModal(),
  Escape: letGo,
};

function open(select) {
  select.focus();
  try { select.showPicker?.(); } catch { /* focus has to do */ }
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const within = event.target.closest?.("input, button");
  if (within && event.key !== "Escape" && (event.key.length > 1 || event.key === " ")) return; // its own
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  if (!within) $("grid").focus({ preventScroll: true });
  $("grid").classList.remove("by-mouse");
  grid.hover(null);
  act();
});

// The rest of the page ----------------------------------------------------------------------------

const sized = () => Math.round(SMALLEST * (LARGEST / SMALLEST) ** ($("size").value / 100));
const usual = Math.max(64, Math.min(112, about.side * 1.25));
$("size").value = kept("size", Math.round((100 * Math.log(usual / SMALLEST)) / Math.log(LARGEST / SMALLEST)));
$("size").addEventListener("input", () => {
  sessionStorage.setItem("size", $("size").value);
  grid.resize(sized());
});
$("size").addEventListener("pointerup", () => $("grid").focus({ preventScroll: true }));
$("filter").addEventListener("change", () => { change({ filter: $("filter").value }); $("grid").focus(); });
$("sort").addEventListener("change", () => { change({ sort: $("sort").value }); $("grid").focus(); });
$("undo").addEventListener("click", KEYS.u);
$("redo").addEventListener("click", KEYS.U);
$("renew").addEventListener("click", KEYS.r);
$("learn").addEventListener("click", learn);
$("likeliest").addEventListener("click", () => change({ filter: "kept", sort: "likeliest" }));
$("help-open").addEventListener("click", KEYS["?"]);

const hidden = Object.values(about.invisible).reduce((sum, count) => sum + count, 0);
$("invisible-open").hidden = !hidden;
$("invisible-open").textContent = `${plural(hidden, "file")} with nothing to show`;
$("invisible-open").addEventListener("click", () => {
  $("invisible").showModal();
  if (!$("invisible-list").children.length) listInvisible();
});
$("invisible-more").addEventListener("click", listInvisible);

async function listInvisible() {
  const start = $("invisible-list").children.length;
  const rows = await ask("/invisible", { start, count: 200 }).catch(sayFailed);
  $("invisible-list").append(...(rows ?? []).map(([name, reason, detail]) => {
    const row = document.createElement("li");
    const title = document.createElement("b");
    title.textContent = name;
    row.append(title, ` ${detail ? `${reason}: ${detail}` : reason}`);
    return row;
  }));
  $("invisible-more").hidden = $("invisible-list").children.length >= hidden;
}

$("set-name").textContent = about.name;
$("credit").textContent = about.credit ?? "";
document.title = `${about.name}: review`;
grid.wish = sized();
$("grid").classList.add("by-mouse"); // until a key is used, the cursor is drawn quietly
await look();
$("grid").focus({ preventScroll: true });
watchLearning();
