"""A prepared set: pictures of one size in a file that is mapped and not read when it opens."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8, UInt64

from impasto.attributes import Attribute, attributes_of, known_of
from impasto.config import from_plain
from impasto.data import crop, layout
from impasto.data.config import Crop, DataConfig
from impasto.data.decisions import read_decisions
from impasto.data.layout import KEPT
from impasto.data.reasons import Reason
from impasto.data.sources.items import printable
from impasto.errors import ConfigError, SourceError


@dataclass
class Prepared:
    """Pictures ready to train on; positions count the kept ones, slots count all candidates."""

    path: Path
    stored: DataConfig  # what the set was prepared with
    config: DataConfig  # how its pictures are looked at: as stored, unless `viewed` otherwise
    source: str
    credit: str | None
    fingerprint: str  # sha256 over contents, labels and the settings that made the pixels
    label_names: dict[str, tuple[str, ...]]
    side: int  # of the stored pictures, in pixels: `config.size`, or more for random crops
    found: int
    kept: int
    rejected: int
    number_names: tuple[str, ...]
    notices: tuple[str, ...]  # what was worth telling when it was prepared
    arrays: layout.Arrays = field(repr=False)
    decided: dict[int, bool]  # by slot, what a person decided against the rules or with them

    @classmethod
    def open(cls, path: str | Path) -> "Prepared":
        """The set in a folder.

        Raises:
            SourceError: the folder holds no prepared set, an unfinished, damaged or newer one.
        """
        home = Path(path)
        facts = _facts(home)
        try:
            config = from_plain(DataConfig, facts["config"], where=str(home / layout.FACTS))
            labels = {name: tuple(of) for name, of in facts["label_names"].items()}
            numbers = tuple(str(name) for name in facts["number_names"])
            side, found, slots = (int(facts[name]) for name in ("side", "found", "slots"))
            starts = [int(start) for start in facts["starts"]]
            kept, fingerprint = int(facts["kept"]), str(facts["fingerprint"])
            notices = tuple(str(notice) for notice in facts["notices"])
            texts: dict[str, Any] = {name: facts[name] for name in ("source", "credit")}
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
            raise SourceError(
                f"{home / layout.FACTS} is damaged ({error}); delete {home} and prepare again"
            ) from None
        shape = layout.Shape(side, config.channels, len(labels), len(numbers))
        arrays = layout.open_arrays(home, shape, slots, starts)
        decided = {
            slot: keep
            for slot, keep in read_decisions(home, slots).items()
            if not layout.is_invisible(int(arrays.status[slot]))
        }
        changed = {
            slot: keep
            for slot, keep in decided.items()
            if keep != bool(arrays.status[slot] == KEPT)
        }
        if changed:
            kept += sum(1 if keep else -1 for keep in changed.values())
            fingerprint = _decided_fingerprint(fingerprint, changed)
        return cls(
            home,
            config,
            config,
            fingerprint=fingerprint,
            label_names=labels,
            number_names=numbers,
            notices=notices,
            side=side,
            found=found,
            kept=kept,
            rejected=slots - kept,
            arrays=arrays,
            decided=decided,
            **texts,
        )

    def __len__(self) -> int:
        return self.kept

    def __getitem__(self, position: int) -> UInt8[np.ndarray, "h w c"]:
        """One picture, `config.size` on a side; of a set with margins, its centred square."""
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        image: np.ndarray = self.images(np.array([position]))[0]
        return image

    def viewed(self, config: DataConfig) -> "Prepared":
        """The same pictures as another configuration wants them, as far as what is stored allows.

        Smaller pictures are made of larger ones when they are asked for, and random crops are drawn
        where the stored pictures leave a margin for them.
        """
        size = min(config.size, self.stored.size)
        kept: Crop = self.stored.crop
        if size < self.stored.size and kept != "pad":
            if config.crop == "random" and self.side >= round(size * crop.MARGIN):
                kept = "random"
            elif kept == "random":
                kept = "center"
        decided = replace(
            self.stored,
            size=size,
            crop=kept,
            flip=config.flip,
            validation=config.validation,
            split_seed=config.split_seed,
        )
        return replace(self, config=decided)

    def images(self, positions: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n h w c"]:
        """Pictures `config.size` on a side; of a set with margins, their centred squares."""
        slots = self.slots(positions)
        stored = self.arrays.pixels[slots]
        if self.side == self.config.size:
            return stored
        whole = 0.0, 0.0, float(self.side), float(self.side)
        boxes = [
            crop.centered(tuple(box), self.side) if self.stored.crop == "random" else whole
            for box in self.arrays.boxes[slots].tolist()
        ]
        pairs = zip(stored, boxes, strict=True)
        return np.stack([crop.resample(picture, box, self.config.size) for picture, box in pairs])

    def labels(self, positions: Int64[np.ndarray, " n"]) -> Int32[np.ndarray, "n columns"]:
        """The labels of pictures, a column for each of `label_names`; -1 means unknown."""
        labels: np.ndarray = self.arrays.labels[self.slots(positions)]
        return labels

    def known(
        self, positions: Int64[np.ndarray, " n"], attributes: Sequence[Attribute]
    ) -> Float32[np.ndarray, "n k"]:
        """What is known of pictures, as a network is told it."""
        return known_of(
            attributes,
            tuple(self.label_names),
            self.number_names,
            self.labels(positions),
            self.numbers(positions),
        )

    def attributes(
        self, positions: Int64[np.ndarray, " n"], wanted: Sequence[str]
    ) -> tuple[Attribute, ...]:
        """What can be known of pictures.

        Args:
            positions: those that are trained on.
            wanted: names of attributes; all by default.

        Raises:
            ConfigError: a name is none of them, or nothing is known of these pictures.
        """
        return attributes_of(
            wanted,
            self.label_names,
            self.number_names,
            self.labels(positions),
            self.numbers(positions),
        )

    def numbers(self, positions: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n columns"]:
        """The numeric attributes of pictures, a column for each of `number_names`; nan means unknown."""
        numbers: np.ndarray = self.arrays.numbers[self.slots(positions)]
        return numbers

    def slots(self, positions: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """Where pictures lie among all candidates."""
        return positions if self._kept_slots is None else self._kept_slots[positions]

    def reasons(self) -> dict[str, int]:
        """How many slots are left out for each kind of reason, the commonest first."""
        codes = np.bincount(self.status(), minlength=2)
        counts: dict[str, int] = {
            layout.kind_of(code): int(count)
            for code, count in enumerate(codes)
            if code > KEPT and count
        }
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def rejects(self) -> Iterator[tuple[str, Reason]]:
        """Name and reason of each rejected slot, a person's decisions heeded."""
        for row in layout.read_rows(self.path / layout.ROWS):
            keep = self.decided.get(row["slot"], row["reason"] is None)
            if not keep:
                reason = Reason(row["reason"] or "by hand", row["detail"])
                yield printable(row["name"]), reason

    def split(
        self, seed: int, share: float
    ) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]:
        """Positions to train on and positions held out, each ascending.

        The held-out side has `round(share * len(self))` pictures, chosen by a hash of their content
        mixed with the seed. Exact duplicates stay together, and a set that grows keeps most of its
        split. Where no choice of whole groups of duplicates fits, the held-out side is as much
        smaller.
        """
        target = round(share * len(self))
        keys = self.arrays.keys[self.slots(np.arange(len(self)))]
        groups, group_of, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        chosen = np.zeros(len(groups), bool)
        room = target
        for group in np.argsort(_mixed(groups, seed), kind="stable"):
            if room == 0:
                break
            if sizes[group] <= room:
                chosen[group] = True
                room -= int(sizes[group])
        held_out = chosen[group_of.reshape(-1)]
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def status(self) -> UInt8[np.ndarray, " slots"]:
        """What became of each slot, as in status.npy, with a person's decisions put in."""
        status = np.array(self.arrays.status)
        for slot, keep in self.decided.items():
            if keep:
                status[slot] = KEPT
            elif status[slot] == KEPT:
                status[slot] = layout.code("by hand")
        return status

    @cached_property
    def _kept_slots(self) -> Int64[np.ndarray, " n"] | None:
        if not self.rejected and not self.decided:
            return None
        return np.flatnonzero(self.status() == KEPT)


def _decided_fingerprint(fingerprint: str, changed: dict[int, bool]) -> str:
    told = json.dumps([fingerprint, sorted(changed.items())])
    return hashlib.sha256(told.encode()).hexdigest()


def is_prepared(path: str | Path) -> bool:
    """Whether a folder holds a complete prepared set."""
    facts = layout.read_json(Path(path) / layout.FACTS)
    return facts is not None and "fingerprint" in facts and "label_names" in facts


def _facts(home: Path) -> dict[str, Any]:
    facts = layout.read_json(home / layout.FACTS)
    if facts is None:
        if (home / layout.DRAFT).exists():
            raise SourceError(
                f"{home} is not prepared to the end; run the same `impasto prepare` again"
            )
        raise SourceError(
            f"{home} is not a prepared set; make one with `impasto prepare SOURCE --to DIR`"
        )
    version = facts.get("format")
    if isinstance(version, int) and version < layout.FORMAT:
        raise SourceError(
            f"{home} was prepared by an older impasto (format {version}, this one reads {layout.FORMAT}); "
            "delete it, or choose another --to, and prepare again"
        )
    if not isinstance(version, int) or version > layout.FORMAT:
        raise SourceError(
            f"{home} was prepared by a newer impasto (format {version}, this one reads "
            f"{layout.FORMAT}); update impasto, or prepare again"
        )
    return facts


def _mixed(keys: UInt64[np.ndarray, " n"], seed: int) -> UInt64[np.ndarray, " n"]:
    """The keys mixed with the seed by SplitMix64's finaliser: every seed ranks them anew."""
    head = hashlib.sha256(f"{seed}/split".encode()).digest()[:8]
    mixed = keys ^ np.uint64(int.from_bytes(head, "big"))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
