"""Prepared sets made up in memory, as `prepare` would leave them, for tests that need no sources."""

import json

import numpy as np

from impasto.config import to_plain
from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.looks.measures import MEASURES

BLOCK = 4096


def numbered(count, side=8):
    """Pictures of one colour that tells their number: red and green are its two digits to base 250."""
    numbers = np.arange(count)
    colours = np.stack([numbers // 250 % 250, numbers % 250, np.full(count, 128)], axis=1)
    return np.broadcast_to(colours.astype(np.uint8)[:, None, None, :], (count, side, side, 3))


def write_set(home, pixels, *, kinds=None, measures=None, config=None):
    """A set with these pictures; `kinds` are the reasons by slot, `measures` columns by name."""
    count, side, _, channels = pixels.shape
    kinds, measures = kinds or {}, measures or {}
    home.mkdir(parents=True, exist_ok=True)
    shape = layout.Shape(side, channels)
    with layout.Writer(home, shape, shards=1, candidates=count) as writer:
        for start in range(0, count, BLOCK):
            slots = range(start, min(start + BLOCK, count))
            columns = {
                name: np.zeros((len(slots), *size), kind)
                for name, (kind, size) in shape.arrays().items()
            }
            columns["keys.npy"][:] = slots
            columns["status.npy"][:] = [
                layout.code(kinds[slot]) if slot in kinds else layout.KEPT for slot in slots
            ]
            columns["measures.npy"][:] = np.nan
            for name, values in measures.items():
                columns["measures.npy"][:, MEASURES.index(name)] = values[slots.start : slots.stop]
            rows = [row_of(slot, kinds.get(slot), side) for slot in slots]
            writer.append(len(slots), pixels[slots.start : slots.stop], columns, rows)
        writer.finish()
    (home / layout.FOUND).rename(home / layout.ROWS)
    facts = {
        "format": layout.FORMAT,
        "key": "0",
        "source": "made up",
        "credit": None,
        "config": to_plain(config or DataConfig(size=side, channels=channels)),
        "side": side,
        "found": count,
        "slots": count,
        "starts": [0],
        "kept": count - len(kinds),
        "rejected": len(kinds),
        "label_names": {},
        "number_names": [],
        "notices": [],
        "fingerprint": "0" * 64,
    }
    layout.write_json(home / layout.FACTS, facts)
    return home


def row_of(slot, kind, side):
    return {
        "candidate": slot,
        "part": 0,
        "parts": 1,
        "name": f"folder/{slot:06d}.png",
        "sha256": None,
        "width": side,
        "height": side,
        "mode": "RGB",
        "box": [0, 0, side, side],
        "labels": [],
        "numbers": [],
        "reason": kind,
        "detail": f"found in {slot}" if kind else "",
    }


def logged(home):
    """The lines of a set's log of decisions."""
    return [json.loads(line) for line in (home / "review.jsonl").read_text().splitlines()]
