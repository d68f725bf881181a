"""What a person decided about the pictures of a set: a log that only grows, the last word counts.

Each line of review.jsonl is one decision, on disk before it is answered for: slots, and whether they
are to be kept (true), left out (false), or as the rules judged (null). Undoing is one more decision.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from impasto.errors import SourceError

NAME = "review.jsonl"


def read_decisions(home: Path, slots: int) -> dict[int, bool]:
    """The slots that a person decided on, and whether each is kept; a torn last line is passed over.

    Raises:
        SourceError: a line is not a decision, or speaks of slots that are not there.
    """
    decided: dict[int, bool] = {}
    path = home / NAME
    if not path.exists():
        return decided
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                break
            for slot, keep in _parsed(line, f"{path}, line {number}", slots):
                if keep is None:
                    decided.pop(slot, None)
                else:
                    decided[slot] = keep
    return decided


def write_decision(home: Path, slots: Iterable[int], keep: bool | None) -> None:  # noqa: FBT001 - it is the decision
    """Puts a decision at the end of the log, on disk when this returns."""
    path = home / NAME
    line = json.dumps({"slots": sorted(slots), "keep": keep}) + "\n"
    with path.open("a+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():  # a torn line of a killed process must not swallow this one
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                _cut_torn(path)
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def _cut_torn(path: Path) -> None:
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)


def _parsed(line: str, where: str, slots: int) -> Iterable[tuple[int, bool | None]]:
    try:
        decision = json.loads(line)
        chosen, keep = decision["slots"], decision["keep"]
        valid = keep in {True, False, None} and all(0 <= int(slot) < slots for slot in chosen)
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise SourceError(f"{where}: not a decision on this set's pictures; take the line out")
    return ((int(slot), keep) for slot in chosen)
