"""A run's grids as a short film: how the pictures came out of the noise.

The suffix says the format: `.webp` and `.gif` play in every browser and loop; `.mp4` is sharpest
and needs the video extra. A film has at most `MOST_FRAMES` frames, so neither memory nor size grows
with the length of the run, and it is written whole or not at all.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import BadInput

MIME = {".webp": "image/webp", ".gif": "image/gif", ".mp4": "video/mp4"}
MOST_FRAMES = 60
WIDEST = 800  # pixels; larger grids are reduced
NARROWEST = 400  # pixels; smaller grids are enlarged by a whole factor
_REST = 0.25  # the share of the time in which the last frame stands still

_Write = Callable[[Sequence[Path], Path, float], None]


def make_film(
    frames: Sequence[Path], to: Path, *, seconds: float = 8.0, most_bytes: int | None = None
) -> None:
    """Writes the grids, in this order, as a film that rests on the last one.

    Args:
        frames: PNG files; when there are too many, evenly thinned, the first and the last kept.
        to: a `.webp`, `.gif` or `.mp4` file.
        seconds: how long it plays.
        most_bytes: how large the file may be; frames are given up until it fits, all but the last.

    Raises:
        BadInput: no frames, a frame that is no picture, an unknown suffix, MP4 without its extra.
    """
    write = _writer(to)
    if not frames:
        raise BadInput(f"{to}: there is no grid to make a film of yet; train a little longer")
    draft = to.with_name(f".{to.stem}.part{to.suffix}")
    kept = thin(frames, MOST_FRAMES)
    try:
        write(kept, draft, seconds)
        while most_bytes and (size := draft.stat().st_size) > most_bytes and len(kept) > 1:
            fitting = int(0.95 * len(kept) * most_bytes / size)
            kept = thin(frames, max(1, min(fitting, len(kept) - 1)))
            write(kept, draft, seconds)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)


def check_film(to: Path) -> None:
    """Whether a film of this name can be written, before there is anything to show.

    Raises:
        BadInput: an unknown suffix, or MP4 without its extra.
    """
    _writer(to)


def thin(frames: Sequence[Path], most: int) -> list[Path]:
    """At most `most` of the frames, evenly spread, the last and (given two) the first kept."""
    if len(frames) <= most:
        return list(frames)
    if most == 1:
        return [frames[-1]]
    return [frames[round(index * (len(frames) - 1) / (most - 1))] for index in range(most)]


def _writer(to: Path) -> _Write:
    writers: dict[str, _Write] = {".webp": _write_webp, ".gif": _write_gif, ".mp4": _write_mp4}
    suffix = to.suffix.lower()
    if suffix not in writers:
        known = ", ".join(writers)
        raise BadInput(f"{to}: no film is written as {suffix or 'a bare name'!r}; known: {known}")
    return writers[suffix]


def _write_webp(frames: Sequence[Path], to: Path, seconds: float) -> None:
    _write_animation(frames, to, seconds, {"quality": 78, "method": 3})


def _write_gif(frames: Sequence[Path], to: Path, seconds: float) -> None:
    # Disposal 1 leaves the last frame standing, so only what changes is stored.
    _write_animation(frames, to, seconds, {"disposal": 1, "optimize": False})


def _write_animation(
    frames: Sequence[Path], to: Path, seconds: float, options: dict[str, Any]
) -> None:
    pictures = _pictures(frames)
    durations = _durations(len(frames), seconds)
    first = next(pictures)
    if len(frames) > 1:
        options = {**options, "append_images": pictures, "duration": durations, "loop": 0}
        first.save(to, save_all=True, **options)
    else:
        first.save(to)


def _write_mp4(frames: Sequence[Path], to: Path, seconds: float) -> None:
    try:
        import av
    except ImportError:
        raise BadInput(
            f"{to}: MP4 needs PyAV: pip install 'impasto[video]', or name the film .webp or .gif"
        ) from None
    moving = max(1, len(frames) - 1)
    rate = Fraction(moving / (seconds * (1 - _REST))).limit_denominator(1000)
    rest = max(1, round(rate * seconds * _REST))  # times that the last frame is shown
    with av.open(str(to), "w", options={"movflags": "faststart"}) as film:
        stream: Any = None
        for index, picture in enumerate(_pictures(frames)):
            if stream is None:
                stream = film.add_stream("libx264", rate=rate, options={"crf": "20"})
                # Colour is stored for blocks of 2 x 2 pixels, hence even sides.
                stream.width, stream.height = (side // 2 * 2 for side in picture.size)
                stream.pix_fmt = "yuv420p"
            even = picture.crop((0, 0, stream.width, stream.height))
            for _ in range(rest if index == len(frames) - 1 else 1):
                film.mux(
                    stream.encode(av.VideoFrame.from_ndarray(np.asarray(even), format="rgb24"))
                )
        film.mux(stream.encode())


def _durations(count: int, seconds: float) -> list[int]:
    """Milliseconds of each frame."""
    if count == 1:
        return [round(1000 * seconds)]
    moving = round(1000 * seconds * (1 - _REST) / (count - 1))
    return [moving] * (count - 1) + [round(1000 * seconds * _REST)]


def _pictures(frames: Sequence[Path]) -> Iterator[Image.Image]:
    """The frames in RGB, all of the last one's size, which is made easy to see."""
    size = _size(_read(frames[-1]))
    for path in frames:
        picture = _read(path)
        smaller = picture.width < size[0]
        scale = Image.Resampling.NEAREST if smaller else Image.Resampling.LANCZOS
        yield picture if picture.size == size else picture.resize(size, scale)


def _size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    if width > WIDEST:
        return WIDEST, max(1, round(height * WIDEST / width))
    factor = max(1, math.ceil(NARROWEST / width))
    return width * factor, height * factor


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError as error:  # Pillow's "cannot identify" is one too
        raise BadInput(f"{path}: cannot be read as a picture ({error}); remove it") from None
