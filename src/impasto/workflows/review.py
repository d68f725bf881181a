"""A person's review of a prepared set: what is shown, what was decided, and what is learnt from that.

There is no page in here: `impasto.studio.review` shows it. Whatever is asked for is bounded, so that a
set of a million pictures is reviewed like one of a thousand.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int32, Int64, UInt8

from impasto.data import layout
from impasto.data.features import Extract
from impasto.data.layout import KEPT
from impasto.data.looks.measures import MEASURES
from impasto.data.manifest import Manifest
from impasto.data.prepared import Prepared
from impasto.data.reasons import KINDS
from impasto.data.sources.items import printable
from impasto.errors import SourceError, nearest
from impasto.holds import Closing, Hold
from impasto.views.sprite import encode_sprite
from impasto.workflows.history import KEEP, NOTHING, REJECT, History
from impasto.workflows.learning import Learner, Learning
from impasto.workflows.ordering import FILTERS, SORTS, chosen, ordered
from impasto.workflows.seen import Seen

LOCK = "review.lock"
MOST = 256  # pictures in a page or a sprite
VIEWS = 8  # views remembered; a page that asks for an older one is told to ask anew


@dataclass(frozen=True)
class View:
    """Pictures in an order that stays, whatever is decided meanwhile."""

    number: int
    filter: str
    sort: str
    state: tuple[int, int]  # of the review, when it was made
    slots: Int32[np.ndarray, " n"]


@dataclass(frozen=True)
class Picture:
    """What is told about one picture."""

    slot: int
    name: str
    kept: bool
    hand: bool | None  # what a person decided
    rule: str | None  # why the rules leave it out
    detail: str
    width: int | None
    height: int | None
    measures: dict[str, float]  # the known ones
    likelihood: float | None  # of being rejected, once that is learnt


@dataclass(frozen=True)
class Counts:
    """Where a review stands."""

    kept: int
    rejected: int
    by_hand: int
    rejected_by_hand: int
    seen: int
    filters: dict[str, int]  # pictures that pass each filter that any passes
    undoable: int
    redoable: int


class Review(Closing):
    """One session over one set; a second one on the same set is refused while it lasts."""

    def __init__(
        self, prepared: Prepared, manifest: Manifest, lock: Hold, extract: Extract | None
    ) -> None:
        """Takes over a set that is locked already; `Review.open` does that."""
        self.prepared, self.manifest = prepared, manifest
        self._lock = lock
        self._arrays = prepared.arrays
        self._rules: UInt8[np.ndarray, " slots"] = np.array(self._arrays.status)
        slots = len(self._rules)
        self._visible = np.array([not layout.is_invisible(code) for code in range(256)])[
            self._rules
        ]
        self._history = History(prepared.path, slots)
        self._seen = Seen(prepared.path, slots)
        self._learner = Learner(prepared, extract)
        self._views: OrderedDict[int, View] = OrderedDict()
        self._changes = self._made = 0
        self._guard = threading.RLock()

    @classmethod
    def open(cls, path: str | Path, *, extract: Extract | None = None) -> "Review":
        """A review of the set in a folder.

        Args:
            path: of the set.
            extract: features to learn from; small thumbnails without it.

        Raises:
            SourceError: the folder holds no prepared set, or it is under review already.
        """
        prepared = Prepared.open(path)
        manifest = Manifest(prepared.path, len(prepared.arrays.status))
        lock = _locked(prepared.path)
        try:
            return cls(prepared, manifest, lock, extract)
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Ends learning, saves what was looked at, and lets others review the set."""
        self._learner.end()
        self.save_seen()
        self._lock.close()

    # What is shown ------------------------------------------------------------------------------

    @cached_property
    def sorts(self) -> dict[str, str]:
        """The orders that there are for this set, with their titles: measures that tell pictures apart."""
        visible = np.flatnonzero(self._visible)
        telling = set()
        for column, name in enumerate(MEASURES):
            values = self._arrays.measures[visible, column]
            known = values[~np.isnan(values)]
            if len(known) and known.min() < known.max():
                telling.add(name)
        return {
            name: sort.title
            for name, sort in SORTS.items()
            if sort.measure is None or sort.measure in telling
        }

    def view(self, filter: str = "kept", sort: str = "source") -> View:  # noqa: A002 - the word for it
        """The pictures that pass a filter, in an order; it stays as it is until it is asked for anew.

        Raises:
            SourceError: there is no such filter or order, or the order is not learnt yet.
        """
        if filter not in FILTERS:
            raise SourceError(f"filter {filter}: {nearest(filter, FILTERS)}")
        if sort not in self.sorts:
            raise SourceError(f"sort {sort}: {nearest(sort, self.sorts)}")
        with self._guard:
            state = self._changes, self._learner.times
            for view in self._views.values():
                if (view.filter, view.sort, view.state) == (filter, sort, state):
                    self._views.move_to_end(view.number)
                    return view
            mask = chosen(filter, self._now(), self._history.said, self._seen.mask)
            slots = self._sorted(np.flatnonzero(mask).astype(np.int32), sort)
            self._made += 1
            view = View(self._made, filter, sort, state, slots)
            self._views[view.number] = view
            while len(self._views) > VIEWS:
                self._views.popitem(last=False)
            return view

    def find_view(self, number: int) -> View | None:
        """A view that was made before, if it is still remembered."""
        with self._guard:
            return self._views.get(number)

    def page(self, view: View, start: int, count: int) -> list[Picture]:
        """What is told about the pictures from place `start` of a view on; at most `MOST`."""
        return [self._picture(slot) for slot in _part(view, start, count).tolist()]

    def sprite(self, view: View, start: int, count: int, *, columns: int = 8, side: int) -> bytes:
        """The same pictures as one JPEG, row by row.

        Args:
            view: an order of pictures.
            start: place of the first one, below the view's end.
            count: how many; at most `MOST`.
            columns: pictures in a row.
            side: of each, in pixels; that of the stored ones at most.
        """
        pixels = self._arrays.pixels[_part(view, start, count).astype(np.int64)]
        return encode_sprite(pixels, columns, min(side, self.prepared.side))

    def said_of(self, slots: Sequence[int]) -> list[bool | None]:
        """What a person decided on the pictures in some slots."""
        words = self._history.said[np.array(slots, np.int64)].tolist()
        return [None if word == NOTHING else word == KEEP for word in words]

    @cached_property
    def invisible(self) -> dict[str, int]:
        """How many candidates there is nothing to show of, by reason."""
        codes = np.bincount(self._rules[~self._visible], minlength=2)
        return {layout.kind_of(code): int(n) for code, n in enumerate(codes) if code > KEPT and n}

    def list_invisible(self, start: int, count: int) -> list[tuple[str, str, str]]:
        """Name, reason and particulars of candidates there is nothing to show of; at most `MOST`."""
        slots = np.flatnonzero(~self._visible)[start : start + min(count, MOST)]
        rows = (self.manifest[slot] for slot in slots.tolist())
        return [(printable(row["name"]), row["reason"], row["detail"]) for row in rows]

    def counts(self) -> Counts:
        """Where the review stands."""
        with self._guard:
            now, said = self._now(), self._history.said
            codes = np.bincount(now, minlength=256)
            filters = {
                name: int(codes[layout.code(name)])
                if name in KINDS
                else int(np.count_nonzero(chosen(name, now, said, self._seen.mask)))
                for name in FILTERS
            }
            return Counts(
                kept=filters["kept"],
                rejected=filters["rejected"],
                by_hand=filters["by-hand"],
                rejected_by_hand=int(np.count_nonzero(self._visible & (said == REJECT))),
                seen=int(np.count_nonzero(self._seen.mask)),
                filters={
                    name: n
                    for name, n in filters.items()
                    if n or name in {"kept", "rejected", "all"}
                },
                undoable=self._history.undoable,
                redoable=self._history.redoable,
            )

    # What is decided ----------------------------------------------------------------------------

    def decide(self, slots: Sequence[int], *, keep: bool | None) -> list[int]:
        """Says of pictures that they are kept, left out, or as the rules judge; the slots it changes.

        Raises:
            SourceError: a slot is not there, or there is nothing to show of it.
        """
        with self._guard:
            known = self._checked(slots)
            word = NOTHING if keep is None else KEEP if keep else REJECT
            return self._done(self._history.do(known, np.full(len(known), word, np.int8)))

    def turn(self, slots: Sequence[int], *, keep: bool) -> list[int]:
        """Keeps pictures or leaves them out, and returns the slots that this changes.

        Nothing is said of those that are so already, and those that the rules judge the same way are
        handed back to them: a click too much, taken back by another, leaves no mark.

        Raises:
            SourceError: a slot is not there, or there is nothing to show of it.
        """
        with self._guard:
            known = self._checked(slots)
            known = known[(self._now()[known] == KEPT) != keep]
            same = (self._rules[known] == KEPT) == keep
            wanted = np.where(same, NOTHING, KEEP if keep else REJECT).astype(np.int8)
            return self._done(self._history.do(known, wanted))

    def undo(self) -> list[int]:
        """Takes the last step back, of this session or one before; the slots it changes."""
        with self._guard:
            return self._done(self._history.undo())

    def redo(self) -> list[int]:
        """Does again what was taken back last; the slots it changes."""
        with self._guard:
            return self._done(self._history.redo())

    def see(self, view: View, start: int, end: int) -> None:
        """Notes that a person has looked at a part of a view, long enough to judge it."""
        with self._guard:
            self._changes += self._seen.see(view.slots[max(0, start) : max(0, end)])

    def save_seen(self) -> None:
        """Puts what was looked at on disk."""
        with self._guard:
            self._seen.save()

    # What is learnt -----------------------------------------------------------------------------

    @property
    def learning(self) -> Learning:
        """How far learning has come."""
        return self._learner.status

    def learn(self) -> None:
        """Starts to learn, in the background, which pictures are likely to be rejected too.

        It learns from what a person rejected, and from what was kept by hand or looked at and left
        as it is.

        Raises:
            SourceError: too few pictures are judged.
        """
        with self._guard:
            said, kept = self._history.said, self._now() == KEPT
            passed = kept & ((said == KEEP) | self._seen.mask)
            self._learner.start(
                np.flatnonzero(self._visible & (said == REJECT)),
                np.flatnonzero(passed),
                np.flatnonzero(self._visible),
            )

    def wait(self) -> Learning:
        """What came of learning, when it is over."""
        return self._learner.wait()

    # Within -------------------------------------------------------------------------------------

    def _now(self) -> UInt8[np.ndarray, " slots"]:
        """The status of each slot, with what a person decided put in."""
        said = self._history.said
        now = self._rules.copy()
        now[self._visible & (said == KEEP)] = KEPT
        now[(said == REJECT) & (self._rules == KEPT)] = layout.code("by hand")
        return now

    def _sorted(self, slots: Int32[np.ndarray, " n"], sort: str) -> Int32[np.ndarray, " n"]:
        by = SORTS[sort]
        if by.measure is not None:
            keys = self._arrays.measures[slots, MEASURES.index(by.measure)]
        elif by.learnt is None:
            return slots
        elif (odds := self._learner.odds) is None:
            raise SourceError(
                f"sort {sort}: nothing is learnt yet; reject some pictures and learn first"
            )
        else:
            keys = odds[slots]
            keys = np.abs(keys) if by.learnt == "unsure" else keys
        return ordered(slots, keys, falling=by.falling)

    def _picture(self, slot: int) -> Picture:
        row, said, odds = self.manifest[slot], int(self._history.said[slot]), self._learner.odds
        rule = None if self._rules[slot] == KEPT else layout.kind_of(int(self._rules[slot]))
        values = dict(zip(MEASURES, self._arrays.measures[slot].tolist(), strict=True))
        return Picture(
            slot=slot,
            name=printable(row["name"]),
            kept=rule is None if said == NOTHING else said == KEEP,
            hand=None if said == NOTHING else said == KEEP,
            rule=rule,
            detail=row["detail"],
            width=row["width"],
            height=row["height"],
            measures={name: value for name, value in values.items() if np.isfinite(value)},
            likelihood=None if odds is None else _likelihood(float(odds[slot])),
        )

    def _checked(self, slots: Sequence[int]) -> Int64[np.ndarray, " n"]:
        known = np.unique(np.array(slots, np.int64))
        beyond = known[(known < 0) | (known >= len(self._rules))]
        if len(beyond):
            raise SourceError(f"slot {beyond[0]}: the set has slots 0 to {len(self._rules) - 1}")
        hidden = known[~self._visible[known]]
        if len(hidden):
            name = printable(self.manifest[int(hidden[0])]["name"])
            raise SourceError(
                f"{name}: nothing of it was decoded, so it cannot be kept; mend the file"
            )
        return known

    def _done(self, slots: Int64[np.ndarray, " n"]) -> list[int]:
        if len(slots):
            self._changes += 1
        changed: list[int] = slots.tolist()
        return changed


def _part(view: View, start: int, count: int) -> Int32[np.ndarray, " n"]:
    return view.slots[max(0, start) : max(0, start) + min(count, MOST)]


def _likelihood(odds: float) -> float | None:
    return None if np.isnan(odds) else float(1 / (1 + np.exp(-np.clip(odds, -50, 50))))


def _locked(home: Path) -> Hold:
    path = home / LOCK
    try:
        lock = Hold(path)
        if lock.mine:
            path.write_text(f"{os.getpid()}\n", encoding="utf-8")
            return lock
        by = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SourceError(
            f"{path} cannot be written ({error.strerror}), and a review must be; copy the set elsewhere"
        ) from None
    raise SourceError(
        f"{home} is under review already{f' (by process {by})' if by else ''}; end that review first"
    )
