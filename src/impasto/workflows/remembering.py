"""Where the models are whose work lies elsewhere: an index, or a compressed picture, tells only their digest."""

import json
from pathlib import Path

from impasto.errors import BadInput, ModelError
from impasto.places import cache_home
from impasto.workflows.reading import Opened, opened

HEAD = 8  # bytes of a digest that name a model


def remember(model: Opened) -> None:
    """Keeps where the model is, so that on this machine it is found again."""
    place = _kept(model.digest[:HEAD])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"model": str(model.path.resolve())}), encoding="utf-8")
    except OSError:
        return  # then it has to be named


def recalled(head: bytes, named: str | Path | None, *, where: str) -> Opened:
    """The model whose digest begins so.

    Args:
        head: of the digest.
        named: a run or a model that was typed; None to remember.
        where: what it made, for messages: `photo.imp: compressed`.

    Raises:
        BadInput: the one that was named is another, or none is remembered.
    """
    found = opened(named if named is not None else _remembered(head, where))
    if found.digest[:HEAD] != head:
        raise ModelError(
            f"{where} by another model ({head.hex()}) than {found.path} ({found.digest[:HEAD].hex()}); name that one "
            "with --model"
        )
    return found


def _remembered(head: bytes, where: str) -> Path:
    try:
        path = Path(json.loads(_kept(head).read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError, TypeError):
        path = None
    if path is None or not path.exists():
        raise BadInput(
            f"{where} by a model ({head.hex()}) that this machine does not remember; name it with --model"
        )
    return path


def _kept(head: bytes) -> Path:
    return cache_home() / "models" / f"{head.hex()}.json"
