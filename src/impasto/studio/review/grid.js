// A grid of any number of pictures, of which only the rows in sight are in the document.
//
// Rows are moved and reused, never thrown away. Browsers bound the height of a page, so that of a very
// large set is pressed together: there, a place of the scroll bar stands for more than itself.

const GAP = 6; // pixels between pictures
const COARSE = 32; // pixels; pictures up to this side are enlarged pixel by pixel
const AHEAD = 2; // rows above and below that are ready before they are seen
const TALLEST = 12_000_000; // pixels; Firefox ends at 17 million

export class Grid {
  constructor(scroller, grid, blocks, { moved }) {
    Object.assign(this, { scroller, grid, blocks, moved });
    this.count = 0;
    this.wish = 96; // side of a picture in pixels, before it is fitted to the width
    this.side = 64; // of the stored pictures
    this.cursor = 0;
    this.hovered = this.lit = null; // the place under the mouse, and the one that is shown unfaded
    this.faded = 0.3; // how much shows of a rejected picture
    this.rows = new Map();
    this.spare = [];
    this.picked = null; // a stretch under the mouse, not decided yet
    this.frame = 0;
    scroller.addEventListener("scroll", () => this.refresh(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(scroller);
  }

  show(view, count, side, { faded }) {
    Object.assign(this, { view, count, side, faded, cursor: 0, picked: null });
    this.grid.setAttribute("aria-rowcount", 0);
    this.scroller.scrollTop = 0;
    this.measure({ anew: true });
  }

  resize(wish) {
    this.wish = wish;
    this.measure();
  }

  // How many fit, and how large they are; what was on top stays on top.
  measure({ anew = false } = {}) {
    const width = this.grid.clientWidth;
    if (!width || !this.side) return;
    const top = anew ? 0 : this.first * this.columns;
    const columns = Math.max(1, Math.round((width + GAP) / (this.wish + GAP)));
    const cell = Math.floor((width - GAP * (columns - 1)) / columns);
    const side = this.sheetSide(cell);
    if (columns !== this.columns || anew) this.clear();
    const step = columns > 1 ? (width - cell) / (columns - 1) : 0; // from one to the next, in a row
    Object.assign(this, { columns, cell, step, width, pitch: cell + GAP });
    if (anew || side !== this.blocks.side) this.blocks.reset(this.view, this.count, side);
    this.total = Math.ceil(this.count / columns);
    this.height = this.total * this.pitch;
    this.grid.style.height = `${Math.min(this.height, TALLEST)}px`;
    this.grid.style.setProperty("--cell", `${cell}px`);
    this.grid.style.setProperty("--columns", columns);
    this.grid.classList.toggle("tiny", cell < 60);
    this.grid.setAttribute("aria-rowcount", this.total);
    this.grid.setAttribute("aria-colcount", columns);
    for (const row of this.rows.values()) row.drawn = "";
    if (!anew && this.count) this.scrollTo(Math.floor(top / columns) * this.pitch);
    this.refresh();
  }

  // The side to fetch pictures in: as many pixels as the screen shows, in few steps, so that most
  // changes of size need nothing new.
  sheetSide(cell) {
    const needed = Math.ceil((cell * Math.min(devicePixelRatio, 2)) / 32) * 32;
    return Math.min(this.side, needed);
  }

  clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.spare = [];
  }

  // Where in the whole grid the window begins, in pixels.
  get offset() {
    const most = this.height - this.scroller.clientHeight;
    const room = Math.min(this.height, TALLEST) - this.scroller.clientHeight;
    return room > 0 && most > room ? (this.scroller.scrollTop / room) * most : this.scroller.scrollTop;
  }

  get first() {
    return this.pitch ? Math.max(0, Math.round(this.offset / this.pitch)) : 0;
  }

  scrollTo(offset) {
    const most = this.height - this.scroller.clientHeight;
    const room = Math.min(this.height, TALLEST) - this.scroller.clientHeight;
    this.scroller.scrollTop = room > 0 && most > room ? (offset / most) * room : offset;
  }

  // The places that are wholly in sight, as a stretch.
  get inSight() {
    const first = Math.ceil((this.offset - 1) / this.pitch);
    const last = Math.floor((this.offset + this.scroller.clientHeight + GAP + 1) / this.pitch);
    const start = Math.max(0, first * this.columns);
    return [start, Math.max(start, Math.min(this.count, last * this.columns))];
  }

  refresh() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
      this.moved();
    });
  }

  render() {
    if (!this.columns) return;
    const offset = this.offset;
    const shift = this.scroller.scrollTop - offset;
    const last = Math.min(
      this.total, Math.ceil((offset + this.scroller.clientHeight) / this.pitch) + AHEAD,
    );
    const first = Math.max(0, Math.min(Math.floor(offset / this.pitch) - AHEAD, last));
    for (const [index, row] of this.rows) {
      if (index < first || index >= last) {
        this.rows.delete(index);
        this.spare.push(row);
      }
    }
    this.want(first, last);
    for (let index = first; index < last; index += 1) {
      let row = this.rows.get(index);
      if (!row) {
        row = this.spare.pop() ?? this.makeRow();
        row.hidden = false;
        this.rows.set(index, row);
        this.fill(row, index);
      } else if (row.drawn !== this.stateOf(index)) {
        this.fill(row, index);
      }
      const top = index * this.pitch + shift;
      if (row.top !== top) row.style.transform = `translateY(${top}px)`;
      row.top = top;
    }
    for (const row of this.spare.splice(2 * AHEAD)) row.remove();
    for (const row of this.spare) row.hidden = true;
    this.grid.setAttribute("aria-activedescendant", `place-${this.cursor}`);
  }

  // Blocks in sight first, then those around, from the middle outwards.
  want(first, last) {
    const { size } = this.blocks;
    const from = Math.floor((first * this.columns) / size);
    const to = Math.ceil(Math.min(this.count, last * this.columns) / size);
    const numbers = Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
    const middle = (from + to - 1) / 2;
    numbers.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    this.blocks.want(numbers);
  }

  // A row is one canvas with all its pictures, which scrolls far more smoothly than one for each, and
  // above it a cell for each picture: its mark, its frame, and what a screen reader says.
  makeRow() {
    const row = document.createElement("div");
    row.className = "row";
    row.setAttribute("role", "row");
    row.canvas = document.createElement("canvas");
    row.canvas.setAttribute("role", "presentation");
    row.cells = Array.from({ length: this.columns }, (_, column) => {
      const cell = document.createElement("div");
      cell.className = "cell";
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-colindex", column + 1);
      cell.append(document.createElement("span"));
      cell.lastChild.className = "mark";
      return cell;
    });
    row.append(row.canvas, ...row.cells);
    this.grid.append(row);
    return row;
  }

  // What a row was drawn from: when none of it changes, nothing is drawn.
  stateOf(index) {
    const start = index * this.columns;
    const end = Math.min(this.count, start + this.columns);
    const parts = [index, this.blocks.side, this.width];
    for (let place = start; place < end; place += 1) {
      const picture = this.blocks.picture(place);
      const word = picture ? `${picture.slot}${picture.hand}` : "-";
      const marks = [place === this.cursor, place === this.lit, this.isPicked(place)].map(Number);
      parts.push(word, ...marks);
    }
    return parts.join();
  }

  fill(row, index) {
    row.drawn = this.stateOf(index);
    row.setAttribute("aria-rowindex", index + 1);
    const scale = Math.min(devicePixelRatio, 2);
    const width = Math.round(this.width * scale);
    const height = Math.round(this.cell * scale);
    const context = row.canvas.getContext("2d");
    if (row.canvas.width !== width || row.canvas.height !== height) {
      Object.assign(row.canvas, { width, height });
      row.canvas.style.width = `${width / scale}px`;
    } else {
      context.clearRect(0, 0, width, height);
    }
    context.save();
    context.scale(scale, scale);
    context.imageSmoothingEnabled = this.side > COARSE;
    context.imageSmoothingQuality = "medium";
    const left = (column) => Math.round(column * this.step * scale) / scale;
    context.beginPath();
    row.cells.forEach((_, column) => context.roundRect(left(column), 0, this.cell, this.cell, 4));
    context.clip();
    row.cells.forEach((cell, column) => {
      const place = index * this.columns + column;
      cell.hidden = place >= this.count;
      if (cell.hidden) return;
      const there = this.blocks.at(place);
      if (there) this.draw(context, there, left(column), place === this.lit);
      this.fillCell(cell, place, there?.picture);
    });
    context.restore();
  }

  draw(context, { picture, sheet, left, top }, x, lit) {
    const { side } = this.blocks;
    context.globalAlpha = picture.kept || lit ? 1 : this.faded;
    context.drawImage(sheet, left, top, side, side, x, 0, this.cell, this.cell);
  }

  fillCell(cell, place, picture) {
    cell.id = `place-${place}`;
    cell.dataset.place = place;
    cell.classList.toggle("cursor", place === this.cursor);
    cell.classList.toggle("picked", this.isPicked(place));
    cell.classList.toggle("waiting", !picture);
    const { word, state } = picture ? markOf(picture) : { word: "", state: "waiting" };
    cell.dataset.state = state;
    cell.dataset.slot = picture?.slot ?? "";
    cell.lastChild.textContent = word;
    cell.setAttribute("aria-label", picture ? `${picture.name}, ${described(picture)}` : "loading");
    cell.setAttribute("aria-selected", String(picture ? !picture.kept : false));
  }

  // A rejected picture under the mouse shows as it is, unless it was decided on just now: then its
  // fading is the answer to the click.
  hover(place) {
    if (place === this.hovered) return;
    this.hovered = this.lit = place;
    this.refresh();
  }

  isPicked(place) {
    return this.picked !== null && place >= this.picked[0] && place < this.picked[1];
  }

  pick(stretch) {
    this.picked = stretch;
    this.refresh();
  }

  placeOf(element) {
    const cell = element?.closest?.(".cell");
    return cell && this.grid.contains(cell) && !cell.hidden ? Number(cell.dataset.place) : null;
  }

  // Moves the cursor, and what is in sight as far as is needed.
  moveTo(place, { reveal = true } = {}) {
    this.cursor = Math.max(0, Math.min(this.count - 1, place));
    if (reveal && this.pitch) {
      const top = Math.floor(this.cursor / this.columns) * this.pitch;
      const height = this.scroller.clientHeight;
      if (top < this.offset) this.scrollTo(top);
      else if (top + this.pitch > this.offset + height) this.scrollTo(top + this.pitch - height);
    }
    this.refresh();
  }

  get rowsInSight() {
    return Math.max(1, Math.floor(this.scroller.clientHeight / this.pitch));
  }
}

// What is written on a picture, and how it looks.
export function markOf(picture) {
  if (picture.hand === false) return { state: "rejected-by-hand", word: "✕ you" };
  if (picture.hand === true) return { state: "kept-by-hand", word: "✓ you" };
  return picture.kept ? { state: "kept", word: "" } : { state: "rejected", word: `✕ ${picture.rule}` };
}

export function described(picture) {
  if (picture.hand === false) return "rejected by you";
  if (picture.hand === true) return picture.rule ? `restored by you (${picture.rule})` : "kept by you";
  return picture.kept ? "kept" : `rejected: ${picture.rule}`;
}
