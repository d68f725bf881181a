"""How pictures are seen when they are scored: an extractor, what is done before it, and features kept.

Features of real pictures are needed again and again and never change, so they are kept in the cache, as NPY
files named by a hash of all that they depend on.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch.nn import functional

from impasto.data.prepared import Prepared
from impasto.evaluation.extractors import Extractor
from impasto.images import to_float, to_uint8
from impasto.places import cache_home

BLOCK = 256  # pictures between two reports

Report = Callable[[int, int], None]  # done, of how many


@dataclass(frozen=True)
class Sight:
    """An extractor, and the side that pictures are softened to before it, if any."""

    extractor: Extractor
    softened: int | None = None

    def features(
        self, images: UInt8[np.ndarray, "n h w c"], report: Report | None = None
    ) -> Float32[np.ndarray, "n d"]:
        """The features of pictures."""
        found = np.empty((len(images), self.extractor.dimensions), np.float32)
        for start in range(0, len(images), BLOCK):
            part = images[start : start + BLOCK]
            found[start : start + len(part)] = self.extractor(self._softened(part))
            if report is not None:
                report(start + len(part), len(images))
        return found

    def of_prepared(
        self,
        prepared: Prepared,
        positions: Int64[np.ndarray, " n"],
        report: Report | None = None,
    ) -> Float32[np.ndarray, "n d"]:
        """The features of pictures of a prepared set, from the cache if they were taken before."""
        path = cache_home() / "features" / f"{self._key(prepared, positions)}.npy"
        kept = _read(path, (len(positions), self.extractor.dimensions))
        if kept is not None:
            return kept
        found = np.empty((len(positions), self.extractor.dimensions), np.float32)
        for start in range(0, len(positions), BLOCK):
            part = prepared.images(positions[start : start + BLOCK])
            found[start : start + len(part)] = self.extractor(self._softened(part))
            if report is not None:
                report(start + len(part), len(positions))
        _write(path, found)
        return found

    def _softened(self, images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h2 w2 c"]:
        side = self.softened
        if side is None or images.shape[1:3] == (side, side):
            return images
        pictures = to_float(torch.from_numpy(np.array(images)))
        small = functional.interpolate(pictures, (side, side), mode="bicubic", antialias=True)
        return to_uint8(small).numpy()

    def _key(self, prepared: Prepared, positions: Int64[np.ndarray, " n"]) -> str:
        chosen = hashlib.sha256(np.ascontiguousarray(positions, "<i8").tobytes()).hexdigest()
        extractor = self.extractor
        facts = [
            prepared.fingerprint,
            prepared.config.size,
            prepared.config.crop,
            chosen,
            extractor.name,
            extractor.digest,
            extractor.resize,
            self.softened,
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read(path: Path, shape: tuple[int, int]) -> Float32[np.ndarray, "n d"] | None:
    try:
        with path.open("rb") as file:  # not by np.load, which takes other kinds of files too
            kept = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # not there, or torn: taken anew
        return None
    return kept if kept.shape == shape and kept.dtype == np.float32 else None


def _write(path: Path, features: Float32[np.ndarray, "n d"]) -> None:
    """Keeps the features; a disk that is full or closed costs time later and nothing else."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.save(file, features, allow_pickle=False)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
