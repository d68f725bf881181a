"""Detectors in ONNX: networks that answer with boxes and scores, run by ONNX Runtime on one core.

Two conventions are understood. Boxes and scores as two outputs: boxes `n 4` as left, top, right,
bottom, scores `n` or `n classes`, each with or without a leading 1. Or one output in the manner of
YOLO: rows of centre, width, height and class scores (`1 4+classes n` or its transpose), or rows of
left, top, right, bottom, score, class (`1 n 6`). Boxes may be in pixels of the input, or shares of it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from impasto.data.config import Subject
from impasto.data.subjects.parts import Sighting
from impasto.errors import SourceError
from impasto.nn.onnx import opened

SIDE = 640  # pixels, where the network leaves it open
SCORE = 0.5  # least certainty, unless the subject sets its own
OVERLAP = 0.45  # boxes that share more than this of their union show the same thing
_SHARES = 2.0  # coordinates that do not exceed it are shares of the input's side


class OnnxDetector:
    """A network that answers with boxes and scores."""

    channels = 3

    def __init__(self, path: Path, subject: Subject) -> None:
        """Loads the network.

        Raises:
            SourceError: ONNX Runtime is not installed, or the file is no network of pictures.
        """
        self._path, self._subject = path, subject
        self.missing = path.stem
        # One thread, because the workers share the cores.
        self._session = opened(path, said=f"--subject {path}", error=SourceError, threads=1)
        self._input = self._session.get_inputs()[0]
        shape = self._input.shape
        if len(self._session.get_inputs()) != 1 or len(shape) != 4:
            raise SourceError(
                f"--subject {path}: expected one input of pictures (n c h w or n h w c), not "
                f"{[(given.name, given.shape) for given in self._session.get_inputs()]}"
            )
        self._last = shape[3] in {1, 3}  # channels come last
        height, width = (shape[1], shape[2]) if self._last else (shape[2], shape[3])
        self._height = height if isinstance(height, int) else SIDE
        self._width = width if isinstance(width, int) else SIDE
        self._depth = shape[3] if self._last else shape[1]
        self.side = max(self._height, self._width)

    def find(self, view: UInt8[np.ndarray, "h w c"]) -> list[Sighting]:
        """All sightings above the least certainty, one for each thing seen.

        Raises:
            SourceError: the network fails, or its outputs are not boxes and scores.
        """
        letter, scale = self._letter(view)
        try:
            outputs = self._session.run(None, {self._input.name: self._tensor(letter)})
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own errors share no public class
            raise SourceError(f"--subject {self._path}: the network fails: {error}") from None
        boxes, scores = self._read(outputs)
        least = SCORE if self._subject.score is None else self._subject.score
        smallest = (self._subject.smallest or 0) * min(view.shape[:2])
        found = [
            Sighting(
                left / scale, top / scale, (right - left) / scale, (bottom - top) / scale, score
            )
            for (left, top, right, bottom), score in zip(
                boxes.tolist(), scores.tolist(), strict=True
            )
            if score >= least and right > left and bottom > top
        ]
        return _apart([seen for seen in found if min(seen.width, seen.height) >= smallest])

    def _letter(
        self, view: UInt8[np.ndarray, "h w c"]
    ) -> tuple[UInt8[np.ndarray, "h2 w2 c"], float]:
        """The view in the corner of the input, as large as fits, and its scale."""
        scale = min(self._height / view.shape[0], self._width / view.shape[1])
        size = max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale))
        resized = Image.fromarray(view).resize(size, Image.Resampling.BILINEAR)
        letter = np.full((self._height, self._width, 3), 114, np.uint8)
        letter[: size[1], : size[0]] = np.asarray(resized)
        return letter, scale

    def _tensor(self, letter: UInt8[np.ndarray, "h w c"]) -> np.ndarray:
        if self._depth == 1:
            letter = np.asarray(Image.fromarray(letter).convert("L"))[:, :, None]
        batch = letter[None] if self._last else letter.transpose(2, 0, 1)[None]
        if self._input.type == "tensor(uint8)":
            return np.ascontiguousarray(batch)
        shares = np.ascontiguousarray(batch, np.float32) / 255
        return shares.astype(np.float16) if self._input.type == "tensor(float16)" else shares

    def _read(
        self, outputs: list[Any]
    ) -> tuple[Float32[np.ndarray, "n 4"], Float32[np.ndarray, " n"]]:
        named = {
            output.name.lower(): np.asarray(array, np.float32)
            for output, array in zip(self._session.get_outputs(), outputs, strict=True)
        }
        if len(named) == 1:
            boxes, scores = _yolo(next(iter(named.values())), self._problem)
        else:
            boxes, scores = _boxes_and_scores(named, self._problem)
        if boxes.size and float(np.abs(boxes).max()) <= _SHARES:
            boxes = boxes * np.array([self._width, self._height] * 2, np.float32)
        return boxes, scores

    def _problem(self, shapes: object) -> SourceError:
        return SourceError(
            f"--subject {self._path}: outputs {shapes} are not boxes (n 4) and scores (n), nor rows of 6 "
            "or of 4 and classes; export the network with one of these"
        )


def _boxes_and_scores(
    named: dict[str, np.ndarray], problem: Any
) -> tuple[Float32[np.ndarray, "n 4"], Float32[np.ndarray, " n"]]:
    """Two outputs told apart by their names, else by their shapes."""
    boxes = next((array for name, array in named.items() if "box" in name), None)
    scores = next((a for name, a in named.items() if "score" in name or "conf" in name), None)
    if boxes is None:
        boxes = next((array for array in named.values() if array.shape[-1:] == (4,)), None)
    if boxes is None or boxes.shape[-1] != 4:
        raise problem([array.shape for array in named.values()])
    boxes = boxes.reshape(-1, 4)
    if scores is None:
        scores = next((a for a in named.values() if _may_be_scores(a, len(boxes))), None)
    if scores is None or scores.size % max(1, len(boxes)) or (scores.size and not len(boxes)):
        raise problem([array.shape for array in named.values()])
    best: np.ndarray = scores.reshape(len(boxes), -1).max(axis=1) if len(boxes) else scores.ravel()
    return boxes, best


def _may_be_scores(array: np.ndarray, boxes: int) -> bool:
    fits = array.size % max(1, boxes) == 0 and boxes in array.shape and array.shape[-1] != 4
    return fits and (not array.size or (float(array.min()) >= 0 and float(array.max()) <= 1))


def _yolo(
    rows: np.ndarray, problem: Any
) -> tuple[Float32[np.ndarray, "n 4"], Float32[np.ndarray, " n"]]:
    """One output: rows that end in boxes and scores, one way or the other."""
    if rows.ndim == 3 and rows.shape[0] == 1:
        rows = rows[0]
    if rows.ndim != 2:
        raise problem([rows.shape])
    if rows.shape[1] == 6:
        return rows[:, :4], rows[:, 4]
    if rows.shape[0] < rows.shape[1]:  # values first, boxes second
        rows = rows.T
    if rows.shape[1] < 5:
        raise problem([rows.shape])
    middle, half = rows[:, :2], rows[:, 2:4] / 2
    return np.concatenate([middle - half, middle + half], axis=1), rows[:, 4:].max(axis=1)


def _apart(sightings: list[Sighting]) -> list[Sighting]:
    """The surest of those that show the same thing."""
    kept: list[Sighting] = []
    for seen in sorted(sightings, key=lambda seen: -seen.score):
        if all(_shared(seen, other) <= OVERLAP for other in kept):
            kept.append(seen)
    return kept


def _shared(one: Sighting, other: Sighting) -> float:
    """The intersection over the union of two boxes."""
    wide = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    high = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    common = max(0.0, wide) * max(0.0, high)
    return common / (one.width * one.height + other.width * other.height - common)
