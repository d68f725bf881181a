"""What a person decided, step by step: done, undone and redone, and told again after a restart."""

from pathlib import Path

import numpy as np
from jaxtyping import Int8, Int64

from impasto.data.decisions import Decision, Step, read_log, write_decisions

KEEP, REJECT, NOTHING = 1, -1, 0  # what was said of a slot
_Change = tuple[Int64[np.ndarray, " n"], Int8[np.ndarray, " n"], Int8[np.ndarray, " n"]]


class History:
    """The log of decisions in memory; every change is on disk before it counts."""

    def __init__(self, home: Path, slots: int) -> None:
        """Replays the log.

        Raises:
            SourceError: the log holds what is no decision.
        """
        self._home = home
        self.said = np.zeros(slots, np.int8)
        self._steps: list[_Change] = []  # slots, what was said of them before, and after
        self._place = 0  # steps that are done; those behind it are undone
        own = True  # whether the lines read are a step of the person's own
        for decision in read_log(home, slots):
            chosen = np.unique(np.array(decision.slots, np.int64))
            after = np.full(len(chosen), _said(decision.keep), np.int8)
            if decision.step != "also":
                own = decision.step == "do"
                self._move(decision.step)
            elif own and self._steps:
                chosen, after = _joined(self._steps.pop(), chosen, after, self.said)
            if own:
                self._steps.append((chosen, self.said[chosen], after))
                self._place = len(self._steps)
            self.said[chosen] = after

    @property
    def undoable(self) -> int:
        """How many steps can be taken back."""
        return self._place

    @property
    def redoable(self) -> int:
        """How many steps taken back can be done again."""
        return len(self._steps) - self._place

    def do(
        self, slots: Int64[np.ndarray, " n"], wanted: Int8[np.ndarray, " n"]
    ) -> Int64[np.ndarray, " m"]:
        """The slots of which something else is said now; where that is none, nothing is written.

        Args:
            slots: different ones.
            wanted: what is to be said of each.
        """
        changing = self.said[slots] != wanted
        slots, wanted = slots[changing], wanted[changing]
        if len(slots):
            change = slots, self.said[slots], wanted
            self._say(slots, wanted, "do")
            self._move("do")
            self._steps.append(change)
            self._place = len(self._steps)
        return slots

    def undo(self) -> Int64[np.ndarray, " n"]:
        """The slots of the last step, which is taken back; none when there is none."""
        if not self.undoable:
            return np.zeros(0, np.int64)
        slots, before, _ = self._steps[self._place - 1]
        self._say(slots, before, "undo")
        self._move("undo")
        return slots

    def redo(self) -> Int64[np.ndarray, " n"]:
        """The slots of the step taken back last, which is done again; none when there is none."""
        if not self.redoable:
            return np.zeros(0, np.int64)
        slots, _, after = self._steps[self._place]
        self._say(slots, after, "redo")
        self._move("redo")
        return slots

    def _move(self, step: Step) -> None:
        match step:
            case "do":
                del self._steps[self._place :]
            case "undo":
                self._place = max(0, self._place - 1)
            case "redo":
                self._place = min(len(self._steps), self._place + 1)

    def _say(
        self, slots: Int64[np.ndarray, " n"], said: Int8[np.ndarray, " n"], step: Step
    ) -> None:
        lines: list[Decision] = []
        for word in (KEEP, REJECT, NOTHING):
            if np.any(said == word):
                chosen = tuple(slots[said == word].tolist())
                lines.append(Decision(chosen, _keep(word), "also" if lines else step))
        write_decisions(self._home, lines)
        self.said[slots] = said


def _joined(
    change: _Change,
    slots: Int64[np.ndarray, " m"],
    after: Int8[np.ndarray, " m"],
    said: Int8[np.ndarray, " all"],
) -> tuple[Int64[np.ndarray, " k"], Int8[np.ndarray, " k"]]:
    """The slots of a step and of its next line, and what they say; `said` goes back to before it."""
    first, before, then = change
    said[first] = before
    new = ~np.isin(first, slots)
    return np.concatenate([first[new], slots]), np.concatenate([then[new], after])


def _said(keep: bool | None) -> int:  # noqa: FBT001 - it is the decision
    return NOTHING if keep is None else KEEP if keep else REJECT


def _keep(said: int) -> bool | None:
    return None if said == NOTHING else said == KEEP
