"""Neighbours: which of many vectors are nearest to one, exactly, or past a hundred thousand nearly, by a graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64

EXACT = 100_000  # vectors up to which all are compared
BLOCK = 16_384  # vectors compared at a time
WIDE = 256  # places that a search keeps in view; by the library's own 64 it misses a picture itself now and then


@dataclass(frozen=True)
class Neighbours:
    """Vectors to be searched.

    Attributes:
        vectors: a row each; of any length, for only their directions are compared.
        graph: as `graph_of` made it of them; without one all are compared, however many they are.
    """

    vectors: Float32[np.ndarray, "n d"]
    graph: bytes | None = None

    def nearest(
        self, wanted: Float[np.ndarray, "m d"], count: int
    ) -> tuple[Int64[np.ndarray, "m k"], Float32[np.ndarray, "m k"]]:
        """The rows that are most alike, best first, and their cosines.

        Args:
            wanted: what is looked for, a row each.
            count: how many of each, at most all.
        """
        count, library = min(count, len(self.vectors)), _library()
        if self.graph is None or library is None:
            return self.exactly(wanted, count)
        graph = library.restore(self.graph)
        graph.expansion_search = max(WIDE, count)
        found = graph.search(unit(wanted), count)
        keys = np.atleast_2d(np.asarray(found.keys)).astype(np.int64)
        return keys, (1 - np.atleast_2d(np.asarray(found.distances))).astype(np.float32)

    def exactly(
        self, wanted: Float[np.ndarray, "m d"], count: int
    ) -> tuple[Int64[np.ndarray, "m k"], Float32[np.ndarray, "m k"]]:
        """The same, by comparing all; ties go to the first."""
        asked = unit(wanted)
        rows = np.empty((len(asked), 0), np.int64)
        cosines = np.empty((len(asked), 0), np.float32)
        for start in range(0, len(self.vectors), BLOCK):
            told = asked @ unit(self.vectors[start : start + BLOCK]).T
            places = np.broadcast_to(np.arange(start, start + told.shape[1]), told.shape)
            rows = np.concatenate([rows, places], 1)
            cosines = np.concatenate([cosines, told], 1)
            best = np.argsort(-cosines, 1, kind="stable")[:, :count]
            rows = np.take_along_axis(rows, best, 1)
            cosines = np.take_along_axis(cosines, best, 1)
        return rows, cosines


def graph_of(vectors: Float32[np.ndarray, "n d"]) -> bytes | None:
    """The graph that a search among so many walks along, as its library keeps it; None where it is not worth it, or
    not installed.

    Source: Malkov and Yashunin, Efficient and robust approximate nearest neighbor search, arXiv 1603.09320.
    """
    library = _library()
    if len(vectors) <= EXACT or library is None:
        return None
    index = library(
        ndim=vectors.shape[1], metric="cos", dtype="f32", connectivity=32, expansion_add=256
    )
    index.add(np.arange(len(vectors)), unit(vectors))
    return bytes(index.save())


def _library() -> Any:
    try:
        from usearch.index import Index
    except ImportError:
        return None
    return Index


def unit(rows: Float[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """The rows at length 1; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


def recall(
    vectors: Float[np.ndarray, "n d"], kinds: Sequence[object], *, at: int, asked: int = 1_000
) -> float:
    """The share of the nearest others that are of the same kind, over pictures that have others of their kind.

    Args:
        vectors: of the pictures.
        kinds: what each is.
        at: how many of the nearest are looked at, or as many as there are others of the kind.
        asked: pictures that are looked for, at most, evenly among them.
    """
    _, numbers, sizes = np.unique(
        np.asarray(kinds, dtype=str), return_inverse=True, return_counts=True
    )
    others = sizes[numbers] - 1
    able = np.flatnonzero(others > 0)
    if not len(able):
        return float("nan")
    chosen = able[np.linspace(0, len(able) - 1, min(asked, len(able))).round().astype(np.int64)]
    rows, _ = Neighbours(np.asarray(vectors, np.float32)).exactly(vectors[chosen], at + 1)
    shares = []
    for picture, found in zip(chosen, rows, strict=True):
        near = found[found != picture][: min(at, int(others[picture]))]
        shares.append(float((numbers[near] == numbers[picture]).mean()))
    return float(np.mean(shares))
