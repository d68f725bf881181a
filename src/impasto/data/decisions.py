"""What a person decided about the pictures of a set: a log that only grows, the last word counts.

Each line of review.jsonl is one decision, on disk before it is answered for: slots, and whether they
are to be kept (true), left out (false), or as the rules judged (null). Undoing is one more decision,
and says so in `step`, so that what can be undone and redone is told from the log alone.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from impasto.errors import SourceError

NAME = "review.jsonl"
# What a line is to a person: a step of their own, one taken back, one taken back again, or one more
# part of the step in the line before.
Step = Literal["do", "undo", "redo", "also"]


@dataclass(frozen=True)
class Decision:
    """One line of the log."""

    slots: tuple[int, ...]
    keep: bool | None
    step: Step = "do"


def read_log(home: Path, slots: int) -> Iterator[Decision]:
    """The decisions in their order; a torn last line is passed over.

    Raises:
        SourceError: a line is not a decision, or speaks of slots that are not there.
    """
    path = home / NAME
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                break
            yield _parsed(line, f"{path}, line {number}", slots)


def read_decisions(home: Path, slots: int) -> dict[int, bool]:
    """The slots that a person decided on, and whether each is kept; a torn last line is passed over.

    Raises:
        SourceError: a line is not a decision, or speaks of slots that are not there.
    """
    decided: dict[int, bool] = {}
    for decision in read_log(home, slots):
        for slot in decision.slots:
            if decision.keep is None:
                decided.pop(slot, None)
            else:
                decided[slot] = decision.keep
    return decided


def write_decision(home: Path, slots: Iterable[int], keep: bool | None) -> None:  # noqa: FBT001 - it is the decision
    """Puts a decision at the end of the log, on disk when this returns."""
    write_decisions(home, [Decision(tuple(slots), keep)])


def write_decisions(home: Path, decisions: Sequence[Decision]) -> None:
    """Puts decisions at the end of the log, in one piece, on disk when this returns.

    Raises:
        OSError: they cannot be written; the log is as it was before.
    """
    path = home / NAME
    lines = "".join(map(_line, decisions))
    with path.open("a+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():  # a torn line of a killed process must not swallow this one
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                _cut_torn(path)
        end = file.seek(0, os.SEEK_END)
        try:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, end)
            raise


def _line(decision: Decision) -> str:
    told = {"slots": sorted(decision.slots), "keep": decision.keep}
    return json.dumps(told | ({} if decision.step == "do" else {"step": decision.step})) + "\n"


def _cut_torn(path: Path) -> None:
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)


def _parsed(line: str, where: str, slots: int) -> Decision:
    try:
        told = json.loads(line)
        chosen, keep, step = told["slots"], told["keep"], told.get("step", "do")
        valid = (
            (keep is None or isinstance(keep, bool))
            and step in get_args(Step)
            and all(isinstance(slot, int) and 0 <= slot < slots for slot in chosen)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise SourceError(f"{where}: not a decision on this set's pictures; take the line out")
    return Decision(tuple(chosen), keep, step)
