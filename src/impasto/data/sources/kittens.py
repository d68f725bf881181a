"""The built-in set `kittens`: 360,000 different cats, composed of the 66 layers in `robohash`.

A body, a fur, eyes, a mouth and an accessory are laid over each other, so that every cat has five
exact labels. The layers are shrunk once; composing a cat then takes tens of microseconds.
"""

import hashlib
import importlib.util
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.crop import Box, source_box, stored_side
from impasto.data.sources.items import Drawn, Item
from impasto.data.sources.selection import draw, matching
from impasto.data.sources.tables import NO_TABLE
from impasto.errors import SourceError

PARTS = ("body", "fur", "eyes", "mouth", "accessory")
DEFAULT_COUNT = 5000
_SIDE = 1024  # of a layer, in pixels
_ORDER_SEED = 1  # kittens:100 are the first hundred of kittens:5000


class Kittens:
    """Different cats in a shuffled order that never changes."""

    credit = "Cats by David Revoy, CC-BY-4.0 (peppercarrot.com), through robohash"
    encoded = False
    number_names: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __init__(self, count: int, config: DataConfig) -> None:
        self.name = f"kittens:{count}"
        self._config = config
        self._layers = _layer_files()
        self.label_names = {
            part: tuple(path.stem.partition("#")[2] for path in files)
            for part, files in zip(PARTS, self._layers, strict=True)
        }
        sizes = [len(files) for files in self._layers]
        if count > math.prod(sizes):
            raise SourceError(f"{self.name}: there are {math.prod(sizes):,} kittens; ask for fewer")
        if count < 1:
            raise SourceError(f"{self.name}: ask for at least one, such as kittens:{DEFAULT_COUNT}")
        if config.labels not in {None, *NO_TABLE}:
            raise SourceError(
                f"{self.name}: labels: kittens have labels of their own; leave the table out"
            )
        if config.classes:
            raise SourceError(
                f"{self.name}: --classes: kittens have no classes; try --only 'body3-*'"
            )
        self._combinations = self._choose(_combinations(sizes, count))

    def _choose(self, combinations: Int64[np.ndarray, "n 5"]) -> Int64[np.ndarray, "m 5"]:
        config = self._config
        if config.only:
            names = [self._name(combination) for combination in combinations]
            combinations = combinations[matching(names, config.only, where=self.name)]
        if config.limit is None or config.limit >= len(combinations):
            return combinations
        places = [*draw(len(combinations), config.limit, config.split_seed)]
        drawn: np.ndarray = combinations[np.concatenate(places)]
        return drawn

    def __len__(self) -> int:
        return len(self._combinations)

    def signature(self) -> str:
        """A hash of the combinations and of the layers' names and sizes."""
        layers = [(path.name, path.stat().st_size) for files in self._layers for path in files]
        digest = hashlib.sha256(repr(layers).encode())
        digest.update(self._combinations.astype("<i8").tobytes())
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The cats, drawn one by one."""
        for combination in self._combinations[start:]:
            picture = Drawn(self._compose(combination), _SIDE, _SIDE)
            yield Item(self._name(combination), tuple(combination.tolist()), picture)

    def _name(self, combination: Int64[np.ndarray, " 5"]) -> str:
        names = self.label_names.values()
        return "-".join(of_part[index] for of_part, index in zip(names, combination, strict=True))

    def _compose(self, combination: Int64[np.ndarray, " 5"]) -> np.ndarray:
        side = stored_side(self._config)
        cat = Image.new("RGB", (side, side), self._config.background)
        layers = _shrunk(side, source_box(_SIDE, _SIDE, self._config))
        for of_part, index in zip(layers, combination, strict=True):
            color, alpha = of_part[index]
            cat.paste(color, (0, 0), alpha)
        pixels = np.asarray(cat.convert("L") if self._config.channels == 1 else cat)
        return pixels.reshape(side, side, self._config.channels)


def _combinations(sizes: list[int], count: int) -> Int64[np.ndarray, "n 5"]:
    order = np.random.Generator(np.random.PCG64(_ORDER_SEED)).permutation(math.prod(sizes))[:count]
    return np.stack(np.unravel_index(order, sizes), axis=1).astype(np.int64)


@lru_cache(maxsize=2)
def _shrunk(side: int, box: Box) -> list[list[tuple[Image.Image, Image.Image]]]:
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        files = _layer_files()
        return [list(pool.map(lambda p: _shrink(p, side, box), of_part)) for of_part in files]


def _layer_files() -> list[list[Path]]:
    package = importlib.util.find_spec(
        "robohash"
    )  # found, not imported: only its pictures are used
    places = package.submodule_search_locations if package else None
    if not places:
        raise SourceError("kittens need the package robohash: pip install robohash")
    folders = sorted(
        path for path in (Path(places[0]) / "sets" / "set4").iterdir() if path.is_dir()
    )
    return [sorted(folder.glob("*.png")) for folder in folders]


def _shrink(path: Path, side: int, box: Box) -> tuple[Image.Image, Image.Image]:
    with Image.open(path) as layer:
        premultiplied = layer.convert("RGBa")
    small = premultiplied.resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    straight = small.convert("RGBA")
    return straight.convert("RGB"), straight.getchannel("A")
