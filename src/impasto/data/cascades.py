"""Cascades of boosted classifiers, as OpenCV runs them: fast on one core, no network needed.

Source: Viola and Jones 2001; the cat-face cascades are Joseph Howse's, shipped with OpenCV 4.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from impasto.data.config import Subject
from impasto.data.subjects import Sighting
from impasto.errors import SourceError


@dataclass(frozen=True)
class Search:
    """How cascades are slid over a picture."""

    files: tuple[str, ...]  # tried in this order, until one sees something
    scale_factor: float  # between sizes looked for
    neighbors: int  # boxes that must agree
    smallest: float  # side of the least box over the picture's short side
    score: float  # least certainty: the last stage's margin
    side: int  # the short side, in pixels, of what is looked at


_CAT = "haarcascade_frontalcatface_extended.xml"
_CAT_STRICT = "haarcascade_frontalcatface.xml"
_HUMAN = "haarcascade_frontalface_default.xml"

_PUBLISHED = {
    "cat-face": Search((_CAT,), 1.1, 3, 0.0, -math.inf, 400),
    "human-face": Search((_HUMAN,), 1.1, 3, 0.0, -math.inf, 400),
}
_DEFAULT = {
    "cat-face": Search((_CAT,), 1.1, 3, 0.2, -math.inf, 300),
    "human-face": Search((_HUMAN,), 1.1, 5, 0.15, -math.inf, 300),
}


class Cascades:
    """One cascade, or several that are tried in turn."""

    channels = 1

    def __init__(self, search: Search, subject: str) -> None:
        self.side, self.missing = search.side, subject
        self._search = search
        self._cascades = [_loaded(file) for file in search.files]

    def find(self, view: UInt8[np.ndarray, "h w c"]) -> list[Sighting]:
        """All sightings of the first cascade that has any."""
        return next((seen for cascade in self._cascades if (seen := self._look(cascade, view))), [])

    def _look(
        self, cascade: cv2.CascadeClassifier, view: UInt8[np.ndarray, "h w c"]
    ) -> list[Sighting]:
        search = self._search
        least = max(1, round(search.smallest * min(view.shape[:2])))
        boxes, _, weights = cascade.detectMultiScale3(
            np.ascontiguousarray(view[:, :, 0]),
            scaleFactor=search.scale_factor,
            minNeighbors=search.neighbors,
            minSize=(least, least),
            outputRejectLevels=True,
        )
        return [
            Sighting(float(left), float(top), float(width), float(height), float(weight))
            for (left, top, width, height), weight in zip(boxes, np.ravel(weights), strict=True)
            if weight >= search.score
        ]


def built_in(subject: Subject) -> Cascades:
    """The detector of a subject that OpenCV has cascades for."""
    presets = _PUBLISHED if subject.preset == "published" else _DEFAULT
    return Cascades(_set(presets[subject.name], subject), subject.name)


def of_file(path: Path, subject: Subject) -> Cascades:
    """The detector of a cascade of one's own.

    Raises:
        SourceError: the file is no cascade.
    """
    presets = _PUBLISHED if subject.preset == "published" else _DEFAULT
    search = replace(presets["human-face"], files=(str(path),))
    return Cascades(_set(search, subject), path.stem)


def _set(search: Search, subject: Subject) -> Search:
    """The search with what the user set himself."""
    own = {
        name: value
        for name in ("scale_factor", "neighbors", "smallest", "score")
        if (value := getattr(subject, name)) is not None
    }
    return replace(search, **own)


def _loaded(file: str) -> cv2.CascadeClassifier:
    path = Path(cv2.__file__).parent / "data" / file  # an absolute path stands for itself
    try:
        cascade = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError):  # its constructor raises both at once
        cascade = None
    if cascade is None or cascade.empty():
        raise SourceError(f"--subject {path}: not a cascade that OpenCV reads; give another file")
    return cascade
