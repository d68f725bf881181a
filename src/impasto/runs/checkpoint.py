"""States: everything that the next step depends on, in one file, whole or absent; the last two are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from impasto.errors import DamagedFile, Diverged, RunError
from impasto.nn.weights import read_tensors, write_tensors

KEPT = 2
FORMAT = 1


@dataclass(frozen=True)
class State:
    """A point that training can go on from."""

    images_seen: int
    seconds: float  # of training, over all sittings
    fingerprint: str  # of the prepared set
    settings: str  # a hash of the configuration, as `settings_of` gives it
    tensors: Mapping[str, Tensor]
    changes: tuple[str, ...] = ()  # settings that healing has changed, as typed after --set


def save_state(folder: Path, state: State) -> Path:
    """The file that now holds the state. An older one is removed only after this one is on disk.

    Raises:
        Diverged: a weight is not a finite number; nothing was written.
        OSError: the disk is full or cannot be written; the states before are as they were.
    """
    for name, value in state.tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise Diverged(f"{name} is no longer finite at {state.images_seen:,} images")
    path = folder / f"{state.images_seen:012d}.safetensors"
    facts = {
        "format": FORMAT,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "fingerprint": state.fingerprint,
        "settings": state.settings,
        "changes": list(state.changes),
    }
    write_tensors(path, state.tensors, facts)
    for old in _saved(folder)[:-KEPT]:
        old.unlink()
    return path


def last_state(folder: Path) -> tuple[State | None, dict[Path, str]]:
    """The newest state that is as it was written, and a sentence for each newer file that is not.

    Raises:
        RunError: there are states, and none of them can be used.
    """
    damaged: dict[Path, str] = {}
    for path in reversed(_saved(folder)):
        try:
            tensors, facts = read_tensors(path)
        except DamagedFile as error:
            damaged[path] = str(error)
            continue
        if facts.get("format", 0) > FORMAT:
            raise RunError(
                f"{path}: written by a newer impasto; upgrade with `pip install --upgrade impasto`"
            )
        state = State(
            facts["images_seen"],
            facts["seconds"],
            facts["fingerprint"],
            facts["settings"],
            tensors,
            tuple(facts.get("changes", ())),
        )
        return state, damaged
    if damaged:
        raise RunError(
            f"{folder}: no usable state is left: {next(iter(damaged.values()))}; the model and the samples are "
            "untouched; start a new run with `impasto train`"
        )
    return None, {}


def set_aside(damaged: Iterable[Path]) -> None:
    """Renames states that cannot be used, so that they do not count among the last two."""
    for path in damaged:
        path.rename(path.with_name(f"{path.name}.damaged"))


def same_tensors(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    """Whether two states hold the same tensors, bit for bit."""
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def _saved(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("."))
