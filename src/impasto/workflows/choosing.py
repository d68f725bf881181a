"""Which recipe suits some pictures, and why."""

import io
import statistics
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.sources.items import Drawn, Payload, Source, Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import ConfigError
from impasto.recipes import RECIPES
from impasto.runs.config import RunConfig

LOOKED_AT = 200  # pictures; enough for a median
FEW = 200  # below this a network memorises rather than learns


def choose(source: str | Path, selected: DataConfig) -> tuple[RunConfig, str]:
    """A recipe for this source, and the reason in a sentence.

    Raises:
        SourceError: there is no such source, or nothing in it is selected.
        ConfigError: the source is a prepared set that no recipe fits.
    """
    path = Path(source)
    if str(source).partition(":")[0] == "kittens" and not path.exists():
        return RECIPES["kittens"], "the built-in kittens have a recipe of their own"
    if is_prepared(path):
        return _for_prepared(Prepared.open(path))
    opened = open_source(source, selected)
    sizes = _sizes(opened)
    if not sizes:
        return RECIPES["cats96"], "none of the first pictures could be measured"
    side = _side(sizes)
    grey = all(is_grey for _, _, is_grey in sizes)
    name = _by(side, len(opened), grey=grey)
    tone = "grey " if grey else ""
    return RECIPES[name], f"{len(opened):,} {tone}pictures of about {side} pixels: {_REASONS[name]}"


def common_side(source: str | Path, *, otherwise: int = 64) -> int:
    """The short side that half of a source's pictures have at least, in pixels.

    Raises:
        SourceError: there is no such source.
    """
    if is_prepared(source):
        return Prepared.open(source).config.size
    sizes = _sizes(open_source(source, DataConfig()))
    return _side(sizes) if sizes else otherwise


def _sizes(opened: Source) -> list[tuple[int, int, bool]]:
    first = islice(opened.items(), LOOKED_AT)
    return [size for item in first if (size := _size(item.payload))]


def _side(sizes: list[tuple[int, int, bool]]) -> int:
    return round(statistics.median(min(width, height) for width, height, _ in sizes))


_REASONS = {
    "mnist-mlp": "small and grey, which a fully connected network handles in minutes",
    "frogs32": "too small for the larger networks",
    "anime96-few": "so few that the network will memorise them, which this recipe shows",
    "lfw64-gan": "large enough for 64 pixels and not for 96",
    "cats96": "large enough for 96 pixels",
}


def _by(side: int, count: int, *, grey: bool) -> str:
    if side < 48:
        return "mnist-mlp" if grey else "frogs32"
    if count < FEW:
        return "anime96-few"
    return "lfw64-gan" if side < 80 else "cats96"


def _for_prepared(prepared: Prepared) -> tuple[RunConfig, str]:
    size, channels = prepared.config.size, prepared.config.channels
    for name in ("kittens" if prepared.source.startswith("kittens") else "lfw64-gan", *RECIPES):
        data = RECIPES[name].data
        if (data.size, data.channels) == (size, channels):
            return RECIPES[name], f"the set was prepared at {size} pixels with {channels} channels"
    smaller = [
        r
        for r in RECIPES.values()
        if r.data.channels == channels and size / 2 <= r.data.size < size
    ]
    if smaller:
        largest = max(smaller, key=lambda recipe: recipe.data.size)
        return (
            largest,
            f"the set was prepared at {size} pixels, of which it takes {largest.data.size}",
        )
    fitting = ", ".join(f"{r.data.size}x{r.data.size}x{r.data.channels}" for r in RECIPES.values())
    raise ConfigError(
        f"{prepared.path}: prepared at {size} pixels with {channels} channels, which no recipe makes ({fitting}); "
        f"name one with --recipe and add --set data.size={size} data.channels={channels}"
    )


def _size(payload: Payload) -> tuple[int, int, bool] | None:
    """Width, height and whether the picture is grey; none where it cannot be told."""
    if isinstance(payload, np.ndarray):
        return payload.shape[1], payload.shape[0], payload.ndim == 2 or payload.shape[2] == 1
    if isinstance(payload, Drawn):
        return payload.width, payload.height, payload.pixels.shape[2] == 1
    if isinstance(payload, Unreadable):
        return None
    try:
        with Image.open(io.BytesIO(payload) if isinstance(payload, bytes) else payload) as picture:
            return picture.width, picture.height, picture.mode in {"1", "L", "I", "I;16", "F"}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # broken files are counted and named when the set is prepared
