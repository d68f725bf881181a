"""Video files: every so many frames (`data.frame_step`) give a picture, upright and in RGB.

The name of a picture is that of its video and the number of its frame, `clip.mp4/000120`. How many
there are is known before anything is decoded: MP4 and MOV say it, of other kinds the packets are
counted. A damaged video gives what comes before the damage.
"""

import hashlib
import os
from collections.abc import Generator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from impasto.data.config import DataConfig
from impasto.data.sources.folders import LINK_OUTSIDE, stamp, walk
from impasto.data.sources.items import Item, Unreadable
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.selection import Entry, select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

_LARGEST_FRAME = 150_000_000  # pixels, as for pictures
_COUNTED = frozenset({"mov", "mp4"})  # containers whose own count of frames is exact
_NOT_OPENED = -1  # in place of a frame's number


class Videos(Listed):
    """Every n-th frame of a video, or of all videos in a folder."""

    def __init__(self, path: Path, config: DataConfig) -> None:
        """Counts the frames.

        Args:
            path: the video or the folder.
            config: the selection, and `frame_step`.

        Raises:
            SourceError: the package `av` is missing, a single video cannot be opened, or nothing
                is selected.
        """
        _require_av(path)
        in_folder = path.is_dir()
        self._root = path if in_folder else path.parent
        self._videos = Listing(walk(path) if in_folder else [(path.name, 0)], beside=1)
        names = Listing(self._frames(config.frame_step, path), beside=2)
        table = table_of(path, config)
        chosen = select(names, config, where=str(path), table=table, known_as=_video)
        super().__init__(str(path), chosen)

    def signature(self) -> str:
        """A hash of the videos' places, sizes and times and of the frames selected."""
        digest = hashlib.sha256(b"video" + os.fsencode(self._root.resolve()))
        for name in self._videos:
            digest.update(f"\0{name}".encode("utf-8", "surrogatepass"))
            digest.update(stamp(self._root / name).encode())
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The frames as arrays; videos that hold none of them are not opened."""
        for video, entries in groupby(self._chosen.entries(start), key=lambda of: of.beside[0]):
            (refusal,) = self._videos.beside(np.array([video]))[0].tolist()
            path = self._root / self._videos[video]
            if refusal == LINK_OUTSIDE:
                reason = Unreadable("a link to outside the folder")
                yield from (entry.item(reason) for entry in entries)
            else:
                yield from _read(path, entries)

    def _frames(self, step: int, path: Path) -> Iterator[tuple[str, int, int]]:
        for video, name in enumerate(self._videos):
            (refusal,) = self._videos.beside(np.array([video]))[0].tolist()
            count = 0 if refusal == LINK_OUTSIDE else _count(self._root / name)
            if isinstance(count, str) and path.name == name and not path.is_dir():
                raise SourceError(f"{path} is not a whole video ({count}); fetch it again")
            if isinstance(count, str) or not count:
                yield f"{name}/", video, _NOT_OPENED
                continue
            for frame in range(0, count, step):
                yield f"{name}/{frame:06d}", video, frame


def _video(name: str) -> str:
    """The video that a frame is of."""
    return name.rpartition("/")[0]


def _count(path: Path) -> int | str:
    """How many frames a video has, or why it cannot be told."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = _stream(container)
            if _COUNTED & set(container.format.name.split(",")) and _agrees(stream):
                return int(stream.frames)
            return sum(1 for packet in container.demux(stream) if packet.size)
    except _damage() as error:
        return _in_words(error)


def _agrees(stream: Any) -> bool:
    """Whether the count that a container gives fits its duration: of fragments it may be partial."""
    if not (stream.frames and stream.duration and stream.average_rate):
        return False
    expected = float(stream.duration * stream.time_base * stream.average_rate)
    return bool(abs(stream.frames - expected) <= 2 + 0.1 * expected)


def _read(path: Path, entries: Iterator[Entry]) -> Iterator[Item]:
    frames = _decoded(path)
    problem, number = "", -1  # the frame decoded last
    frame: Any = None
    for entry in entries:
        while not problem and number < max(entry.beside[1], 0):
            try:
                frame = next(frames)
                number += 1
            except StopIteration:
                problem = f"cut short: the video ends after {number + 1:,} frames"
            except _damage() as error:
                problem = f"damaged after {number + 1:,} frames: {_in_words(error)}"
        yield entry.item(Unreadable(problem) if problem else _upright(frame))
    frames.close()


def _decoded(path: Path) -> Generator[Any, None, None]:
    import av

    with av.open(str(path)) as container:
        stream = _stream(container)
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise ValueError("a frame is incomplete")
            if frame.width * frame.height > _LARGEST_FRAME:
                raise ValueError(f"frames of {frame.width} x {frame.height} pixels are too large")
            yield frame


def _stream(container: Any) -> Any:
    if not container.streams.video:
        raise ValueError("there are no moving pictures in it")
    return container.streams.video[0]


def _upright(frame: Any) -> UInt8[np.ndarray, "h w 3"]:
    """The frame as its camera was held."""
    pixels: np.ndarray = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _damage() -> tuple[type[Exception], ...]:
    """What is raised on reading a damaged video."""
    import av

    return (av.error.FFmpegError, OSError, ValueError, EOFError)


def _in_words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()) or type(error).__name__


def _require_av(path: Path) -> None:
    try:
        import av  # noqa: F401
    except ImportError:
        raise SourceError(
            f"{path}: videos are read by the package av: pip install 'impasto[video]'"
        ) from None
