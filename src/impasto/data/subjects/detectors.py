"""Finding a subject: OpenCV's cascades, and any ONNX network that answers with boxes and scores."""

import functools
import hashlib
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from impasto.data.config import Subject
from impasto.data.subjects.parts import Sighting
from impasto.errors import SourceError, nearest

KNOWN = ("whole", "cat-face", "human-face")


@runtime_checkable
class Detector(Protocol):
    """Something that sees its subject in a picture."""

    side: int  # the short side, in pixels, of what it looks at; smaller pictures come as they are
    channels: int  # 1 for grey, 3 for sRGB
    missing: str  # what to say when nothing is seen

    def find(self, view: UInt8[np.ndarray, "h w c"]) -> list[Sighting]:
        """All sightings, in pixels of the view."""


def detector_of(subject: Subject) -> Detector | None:
    """The detector of a subject, made once in a process; None when the whole picture is wanted.

    Raises:
        SourceError: there is no such subject, or its file or package cannot be used.
    """
    return None if subject.name == "whole" else _made(subject)


def digest_of(subject: Subject) -> str:
    """What tells a subject's detector from others: its name, or a hash of its file.

    Raises:
        SourceError: there is no such subject, or its file cannot be read.
    """
    if subject.name in KNOWN:
        return subject.name
    try:
        return hashlib.sha256(_file_of(subject.name).read_bytes()).hexdigest()
    except OSError as error:
        raise SourceError(
            f"--subject {subject.name}: cannot be read ({error.strerror}); give another file"
        ) from None


@functools.lru_cache(maxsize=4)
def _made(subject: Subject) -> Detector:
    if subject.name in KNOWN:
        from impasto.data.subjects.cascades import built_in

        return built_in(subject)
    path = _file_of(subject.name)
    if path.suffix.lower() == ".onnx":
        from impasto.data.subjects.onnx_detector import OnnxDetector

        return OnnxDetector(path, subject)
    from impasto.data.subjects.cascades import of_file

    return of_file(path, subject)


def _file_of(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in {".xml", ".onnx"}:
        known = (*KNOWN, "FILE.xml", "FILE.onnx")
        raise SourceError(f"--subject {name}: no such subject; {nearest(name, known)}")
    if not path.is_file():
        raise SourceError(
            f"--subject {name}: no such file; give a cascade (.xml) or a network (.onnx)"
        )
    return path
