"""Cascades of boosted classifiers, as OpenCV runs them: fast on one core, no network needed.

A cascade is slid over the picture at many sizes, and the windows it accepts are grouped where they
overlap. How many windows agree is the score: on photographs of cats it told faces from the rest
better than the margin of the last stage did.

The default for cat faces looks twice. A coarse look over a small picture, with large steps between
sizes, finds a few candidates; a close look at each, by both of OpenCV's cascades and at the sizes about
the candidate's, counts how many windows agree. On 1,500 photographs it finds a face in 46 of 100 where
the published single look finds 41, at less than half the computation (docs/decisions/0017).

Source: Viola and Jones 2001; the cat-face cascades are Joseph Howse's, shipped with OpenCV 4.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from impasto.data.config import Subject
from impasto.data.subjects.parts import Sighting
from impasto.errors import SourceError

Grey = UInt8[np.ndarray, "h w 1"]


@dataclass(frozen=True)
class Search:
    """How cascades are slid over a picture."""

    cascade: str
    scale_factor: float  # between sizes looked for
    neighbors: int  # a group of windows counts when there are more than so many, as in OpenCV
    smallest: float  # side of the least window over the picture's short side
    side: int  # the short side, in pixels, of what is looked at
    closely: tuple[str, ...] = ()  # cascades that look again, closely, at each candidate


_CAT, _CAT_PLAIN = "haarcascade_frontalcatface_extended.xml", "haarcascade_frontalcatface.xml"
_LARGE = 1024  # pixels; the published searches look at the picture as it is, up to here

_PUBLISHED = {
    "cat-face": Search(_CAT, 1.1, 3, 0.0, _LARGE),
    "human-face": Search("haarcascade_frontalface_default.xml", 1.1, 3, 0.0, _LARGE),
}
_DEFAULT = {
    "cat-face": Search(_CAT, 1.2, 3, 0.18, 160, (_CAT, _CAT_PLAIN)),
    "human-face": Search("haarcascade_frontalface_alt2.xml", 1.2, 3, 0.12, 200),
}

# The close look.
CANDIDATES = 3  # looked at, the ones that most windows agree on
AROUND = 1.5  # side of the region looked at over the candidate's
CLOSE = (
    52  # pixels a candidate is brought to: above twice its window of 24, OpenCV steps by one pixel
)
SIZES = (0.75, 1.35)  # of windows over the candidate's
STEP = 1.1  # between the sizes of windows
ALIKE = 0.2  # how far apart the edges of windows may lie that count as one, over their side


class Cascades:
    """One cascade that looks once, or that proposes what others look at closely."""

    channels = 1

    def __init__(self, search: Search, subject: str) -> None:
        """Loads the cascades.

        Raises:
            SourceError: a file is no cascade.
        """
        self.missing = subject
        self.side = search.side
        if search.closely:  # the smallest face looked for is still large enough for the close look
            self.side = max(search.side, round(CLOSE / max(search.smallest, 0.05)))
        self._search = search
        self._cascade = _loaded(search.cascade)
        self._closely = [_loaded(file) for file in search.closely]

    def find(self, view: UInt8[np.ndarray, "h w 1"]) -> list[Sighting]:
        """All sightings, scored by how many windows agree."""
        search, grey = self._search, np.ascontiguousarray(view[:, :, 0])
        if self._closely:
            scale = search.side / min(grey.shape)
            first = self._look(_scaled(grey, scale))[:CANDIDATES]
            close = (self._look_closely(grey, seen.scaled(1 / scale)) for seen in first)
            sightings = [seen for seen in close if seen is not None]
        else:
            sightings = self._look(grey)
        return [seen for seen in sightings if seen.score > search.neighbors]

    def _look(self, grey: np.ndarray) -> list[Sighting]:
        least = max(1, round(self._search.smallest * min(grey.shape)))
        windows = self._cascade.detectMultiScale(
            grey,
            scaleFactor=self._search.scale_factor,
            minNeighbors=0,
            minSize=(least, least),
        )
        return _grouped(windows)

    def _look_closely(self, grey: np.ndarray, seen: Sighting) -> Sighting | None:
        """What both cascades agree on about a candidate; None when nothing is there after all."""
        across, down = seen.left + seen.width / 2, seen.top + seen.height / 2
        reach = seen.width * AROUND / 2
        left, top = max(0, int(across - reach)), max(0, int(down - reach))
        right, bottom = int(across + reach) + 1, int(down + reach) + 1
        scale = CLOSE / seen.width
        region = _scaled(grey[top:bottom, left:right], scale)
        least, most = (int(CLOSE * size) for size in SIZES)
        windows = [
            window
            for cascade in self._closely
            for window in cascade.detectMultiScale(
                region,
                scaleFactor=STEP,
                minNeighbors=0,
                minSize=(least, least),
                maxSize=(most, most),
            )
        ]
        found = _grouped(windows)
        return found[0].scaled(1 / scale).moved(left, top) if found else None


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
    search = replace(presets["human-face"], cascade=str(path))
    return Cascades(_set(search, subject), path.stem)


def _set(search: Search, subject: Subject) -> Search:
    """The search with what the user set himself."""
    neighbors = search.neighbors if subject.neighbors is None else subject.neighbors
    return replace(
        search,
        scale_factor=subject.scale_factor or search.scale_factor,
        neighbors=neighbors if subject.score is None else math.ceil(subject.score) - 1,
        smallest=search.smallest if subject.smallest is None else subject.smallest,
    )


def _loaded(file: str) -> cv2.CascadeClassifier:
    path = Path(cv2.__file__).parent / "data" / file  # an absolute path stands for itself
    try:
        cascade = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError):  # its constructor raises both at once
        cascade = None
    if cascade is None or cascade.empty():
        raise SourceError(f"--subject {path}: not a cascade that OpenCV reads; give another file")
    return cascade


def _scaled(grey: np.ndarray, scale: float) -> np.ndarray:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled: np.ndarray = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how)
    return scaled


def _grouped(windows: Iterable[Sequence[int]]) -> list[Sighting]:
    """The mean of each group of windows that overlap, the largest group first."""
    boxes = [[int(edge) for edge in window] for window in windows]
    if not boxes:
        return []
    # OpenCV drops a group of one window; with each window given twice, none is.
    means, counts = cv2.groupRectangles(boxes * 2, 1, ALIKE)
    groups = [
        Sighting(float(left), float(top), float(width), float(height), float(int(count) // 2))
        for (left, top, width, height), count in zip(means, np.ravel(counts), strict=True)
    ]
    return sorted(groups, key=lambda seen: -seen.score)
