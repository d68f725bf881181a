// The pictures of a view in blocks: fetched when they come near, forgotten when they are long out of sight.

import { ask, askPicture, Refused } from "./server.js";

const AT_ONCE = 2; // blocks; a browser opens six connections, and clicks need one
const MEMORY = 96 * 2 ** 20; // bytes of decoded sheets that are kept
const RECENT = 200; // answers to changes that a page under way may have missed

export class Blocks {
  constructor({ size, columns, arrived, failed }) {
    Object.assign(this, { size, columns, arrived, failed });
    this.recent = [];
    this.reset(null, 0, 1);
  }

  // Another view, or the same one in another size of pictures.
  reset(view, count, side) {
    for (const block of this.loaded?.values() ?? []) block.cancel.abort();
    Object.assign(this, { view, count, side, wanted: [], loading: 0 });
    this.loaded = new Map(); // by number, the least recently used first
    this.bySlot = new Map();
  }

  // The picture at a place, and where it is in its sheet; undefined while it is not there.
  at(place) {
    const block = this.loaded.get(Math.floor(place / this.size));
    if (!block?.sheet) return undefined;
    const within = place % this.size;
    return {
      picture: block.pictures[within],
      sheet: block.sheet,
      left: (within % this.columns) * this.side,
      top: Math.floor(within / this.columns) * this.side,
    };
  }

  picture(place) {
    return this.at(place)?.picture;
  }

  // Where a picture is in the view, if it is loaded; -1 if not.
  placeOf(slot) {
    for (const [number, { pictures }] of this.loaded) {
      const within = pictures.findIndex((picture) => picture.slot === slot);
      if (within >= 0) return number * this.size + within;
    }
    return -1;
  }

  // The blocks that are needed now, the most urgent first; what is under way far from them is called off.
  want(numbers) {
    const needed = new Set(numbers);
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    const near = 2 * numbers.length; // what is nearly there may be wanted back
    for (const [number, block] of this.loaded) {
      if (!block.sheet && (number < least - near || number > most + near)) {
        block.cancel.abort();
        this.loaded.delete(number);
      }
    }
    for (const number of [...numbers].reverse()) {
      const block = this.loaded.get(number);
      if (block) {
        this.loaded.delete(number);
        this.loaded.set(number, block);
      }
    }
    this.wanted = numbers.filter((number) => !this.loaded.has(number));
    this.forget(needed);
    this.next();
  }

  next() {
    while (this.loading < AT_ONCE && this.wanted.length) this.load(this.wanted.shift());
  }

  async load(number) {
    const { view, side } = this;
    const block = { cancel: new AbortController(), pictures: [], sheet: null };
    const words = { view, start: number * this.size, count: this.size };
    const began = performance.now();
    this.loaded.set(number, block);
    this.loading += 1;
    try {
      const [pictures, sheet] = await Promise.all([
        ask("/page", words, block.cancel.signal),
        askPicture("/sprite", { ...words, side }, block.cancel.signal),
      ]);
      if (this.loaded.get(number) !== block) return;
      Object.assign(block, { pictures, sheet });
      for (const picture of pictures) this.bySlot.set(picture.slot, picture);
      for (const { time, changed } of this.recent) if (time > began) this.mark(changed);
      this.arrived(number);
    } catch (error) {
      if (this.loaded.get(number) === block) {
        this.loaded.delete(number);
        if (error.name !== "AbortError") this.failed(error, error instanceof Refused && error.status === 410);
      }
    } finally {
      if (this.view === view && this.side === side) {
        this.loading -= 1;
        this.next();
      }
    }
  }

  forget(needed) {
    const bytes = 4 * this.size * this.side ** 2;
    const most = Math.max(2 * needed.size, Math.floor(MEMORY / bytes));
    for (const [number, block] of this.loaded) {
      if (this.loaded.size <= most) break;
      if (needed.has(number) || !block.sheet) continue;
      block.sheet.close();
      for (const picture of block.pictures) this.bySlot.delete(picture.slot);
      this.loaded.delete(number);
    }
  }

  // What a person decided, as pairs of slot and word; true keep, false reject, null as the rules judge.
  mark(changed) {
    for (const [slot, hand] of changed) {
      const picture = this.bySlot.get(slot);
      if (!picture) continue;
      picture.hand = hand;
      picture.kept = hand ?? picture.rule === null;
    }
  }

  // The same, told by impasto: it also holds for pages that were asked for before.
  markForGood(changed) {
    this.recent.push({ time: performance.now(), changed });
    if (this.recent.length > RECENT) this.recent.shift();
    this.mark(changed);
  }
}
