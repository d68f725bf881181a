"""Painting a video: frame by frame, each from where the last one's paint has moved to."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8

from impasto.errors import BadInput, ConfigError, NotSaved, SourceError
from impasto.images import Picture, levels_to_float, to_uint8
from impasto.runs.devices import device_of
from impasto.style.canvas import Where
from impasto.style.color import KeepColor, finished, recolored, shown
from impasto.style.config import PyramidConfig, StyleConfig
from impasto.style.flow import Motion, flicker, motion
from impasto.style.loss_network import LossNetwork
from impasto.style.memory import check_pixels, peak_memory, plan_memory
from impasto.style.objective import Kept
from impasto.style.painter import layers
from impasto.style.pyramid import Pyramid, stages
from impasto.style.scene import LEAST_SIDE, Part, Scene, Style, fitted, resized
from impasto.workflows.learnt import Repainter, load_styles
from impasto.workflows.reading import written
from impasto.workflows.settings import Device
from impasto.workflows.staging import brought, named
from impasto.workflows.stylizing import configured, seeing

SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
LATER_STEPS = (
    0.4  # of the last size's steps that frames after the first one take: they begin nearly done
)
STAY = 20.0  # weight of staying like the frame before, where that is known and dry
DRIES = 0.4  # of what is not yet dry, in a frame: what comes into view is painted over some frames
FRESH = 0.002  # of the frame that must be fresh to be looked at by itself
FAST_STAY = 0.7  # share of the frame before, where it is known, when a network paints at once
# What an MP4 can hold; and the names of layouts by channels, for a file may not name its own.
HELD = {"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus", "flac"}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
QUALITY = "18"  # of H.264, where 0 loses nothing


@runtime_checkable
class Paint(Protocol):
    """What paints frames.

    Attributes:
        place: where it computes.
        steps: that it took so far.
        losses: of the last step of each frame: content and style.
    """

    place: torch.device
    steps: int
    losses: list[tuple[float, float]]

    def paint(self, frame: Picture, last: Picture | None, moved: Motion | None) -> Picture:
        """A frame, given the last painting and how things have moved since."""


@dataclass
class Filmed:
    """What came of a video.

    Attributes:
        frames: that were painted.
        flicker: how much the painting changes where what it shows does not, as `flow.flicker` tells it.
        source_flicker: the same of the video itself.
        peak_memory: bytes that were taken at most.
        steps: of all frames.
        losses: content and style, means over the frames; none where nothing was optimised.
    """

    to: Path
    frames: int
    size: tuple[int, int]
    flicker: float
    source_flicker: float
    seconds: float
    sound: bool
    peak_memory: int
    steps: int = 0
    losses: tuple[float | None, float | None] = (None, None)

    def to_plain(self) -> dict[str, Any]:
        """All of it as strings and numbers."""
        return {
            "to": str(self.to),
            "frames": self.frames,
            "size": list(self.size),
            "flicker": self.flicker,
            "source_flicker": self.source_flicker,
            "seconds": round(self.seconds, 3),
            "seconds_a_frame": round(self.seconds / max(self.frames, 1), 3),
            "steps": self.steps,
            "content_loss": self.losses[0],
            "style_loss": self.losses[1],
            "sound": self.sound,
            "peak_memory_bytes": self.peak_memory,
        }


def is_video(path: str | Path) -> bool:
    """Whether a name is that of a video."""
    return Path(path).suffix.lower() in SUFFIXES


def stylize_video(
    content: str | Path,
    styles: Sequence[str | Path],
    *,
    to: str | Path,
    recipe: str = "pyramid",
    size: int | None = None,
    steps: int | None = None,
    keep_color: KeepColor | None = None,
    settings: tuple[str, ...] = (),
    memory: float | None = None,
    device: Device = "auto",
    steady: bool = True,
    report: Callable[[int, int], None] | None = None,
) -> Filmed:
    """Paints a video in the manner of pictures, its sound kept.

    Args:
        content: a video.
        styles: pictures, each with its weight behind a colon if it is not 1.
        to: the video that is painted; .mp4.
        recipe: a recipe of painting from coarse to fine.
        size: of the longest side, in pixels.
        steps: of the first frame, in all.
        keep_color: whose colours it has.
        settings: fields of the recipe.
        memory: bytes that may be used.
        device: where to compute.
        steady: begin each frame with the last one's paint, and hold it there; otherwise each is painted by itself.
        report: told how many frames are done, of how many.

    Raises:
        BadInput: a file is not what it should be, or the extra is missing.
    """
    config = configured(recipe, size=size, steps=steps, keep_color=keep_color, settings=settings)
    if not isinstance(config.painter, PyramidConfig):
        raise ConfigError(
            f"recipe {config.name}: paints single pictures; leave --recipe out for a video"
        )
    place = torch.device(device_of(device))
    given = [named(str(style)) for style in styles]
    if not given:
        raise ConfigError("no style: name at least one painting after the video")
    network = LossNetwork.published(
        config.network, layers(config, config.network), **seeing(config), device=place
    )
    longest = config.painter.scale * config.size
    manners = [Style(brought(each.path, longest), each.weight) for each in given]
    painter = _Frames(config, network, manners, place, memory, steady=steady)
    return _filmed(Path(content), Path(to), config.size, painter, report)


def repaint_video(
    content: str | Path,
    model: str | Path,
    *,
    to: str | Path,
    styles: Sequence[str] = (),
    size: int = 512,
    strength: float | None = None,
    scale: float | None = None,
    keep_color: KeepColor = "no",
    device: Device = "auto",
    steady: bool = True,
    report: Callable[[int, int], None] | None = None,
) -> Filmed:
    """Paints a video by a network that has learnt to; as `repaint` does a picture, its sound kept.

    Raises:
        BadInput: a file is not what it should be, or the extra is missing.
    """
    if size < LEAST_SIDE:
        raise ConfigError(f"--size {size}: at least {LEAST_SIDE} pixels")
    learnt = load_styles(model)
    place = torch.device(device_of(device))
    learnt.network.to(place)
    manner, _ = learnt.manner(styles, longest=size, scale=scale)
    painter = _FastFrames(learnt, manner, strength, keep_color, place, steady=steady)
    return _filmed(Path(content), Path(to), size, painter, report)


@dataclass
class _Frames:
    """Paints frames by optimisation.

    Paint that has come into view would hardly change what the whole frame's manner is by, and would then be held as
    it is. So it is a part of its own, with the manner for itself, and is held the more the longer it has been there.

    Attributes:
        dry: how far each pixel of the last frame has been painted, in [0, 1].
    """

    config: StyleConfig
    network: LossNetwork
    styles: Sequence[Style]
    place: torch.device
    memory: float | None
    steady: bool
    dry: Where = field(default_factory=lambda: torch.ones(1, 1))
    steps: int = 0
    losses: list[tuple[float, float]] = field(default_factory=list)

    def paint(self, frame: Picture, last: Picture | None, moved: Motion | None) -> Picture:
        assert isinstance(self.config.painter, PyramidConfig)
        keep, config = self.config.keep_color, self.config.painter
        height, width = frame.shape[2:]
        plan = plan_memory(self.network, height, width, self.config, self.memory, regions=2)
        config = replace(config, memory=min(config.memory, plan.pairs))
        manners = [
            replace(style, picture=recolored(style.picture, frame, keep)) for style in self.styles
        ]
        parts, start, kept, dry = [Part(manners)], None, None, torch.ones(height, width)
        if self.steady and last is not None and moved is not None:
            where = moved.known[None, None]
            start = torch.lerp(shown(frame, keep), moved.moved(last), where).to(self.place)
            dry = moved.places(self.dry) * moved.known
            kept = Kept(start, dry.to(self.place), STAY)
            if float((1 - dry).mean()) > FRESH:
                parts = [Part(manners, dry), Part(manners, 1 - dry)]
            few = max(1, round(stages(height, width, config)[-1].steps * LATER_STEPS))
            config = replace(config, least_size=max(height, width), steps=few)
        self.dry = torch.lerp(dry, torch.ones_like(dry), DRIES)
        scene = Scene(shown(frame, keep), parts, config.scale).to(self.place)
        painter = Pyramid(self.network, scene, config, tiling=plan.tiling, start=start, kept=kept)
        while painter.done < painter.steps:
            losses = painter.step()
        self.steps += painter.done
        self.losses.append((float(losses["content"]), float(losses["style"])))
        return finished(painter.picture.cpu(), frame, keep)


@dataclass
class _FastFrames:
    """Paints frames at once."""

    learnt: Repainter[Any]
    manner: Any
    strength: float | None
    keep: KeepColor
    place: torch.device
    steady: bool
    steps: int = 0
    losses: list[tuple[float, float]] = field(default_factory=list)

    def paint(self, frame: Picture, last: Picture | None, moved: Motion | None) -> Picture:
        painted = self.learnt.paint(frame.to(self.place), self.manner, self.strength).cpu()
        if self.keep in {"moments", "palette"}:
            painted = recolored(painted, frame, self.keep)
        painted = finished(painted, frame, self.keep)
        if self.steady and last is not None and moved is not None:
            painted = torch.lerp(painted, moved.moved(last), FAST_STAY * moved.known)
        return painted


def _filmed(
    content: Path,
    to: Path,
    size: int,
    painter: Paint,
    report: Callable[[int, int], None] | None,
) -> Filmed:
    """Frames through a painter, one after the other; the film is written whole or not at all."""
    av = _av(content)
    if to.suffix.lower() != ".mp4":
        raise ConfigError(f"{to}: videos are written as .mp4; choose a name that ends so")
    written(to)
    draft, reel = to.with_name(f".{to.stem}.part.mp4"), _Reel(painter.paint)
    started = time.monotonic()
    try:
        height, width = _size(content, size)
        with av.open(str(content)) as source, av.open(str(draft), "w") as film:
            seen, heard = source.streams.video[0], next(iter(source.streams.audio), None)
            out = film.add_stream("libx264", rate=seen.average_rate or Fraction(25))
            out.options, out.pix_fmt = {"crf": QUALITY}, "yuv420p"
            out.height, out.width = height, width
            out.codec_context.time_base = seen.time_base
            sound = _Sound(heard, film) if heard else None
            for packet in source.demux([each for each in (seen, heard) if each]):
                if sound is not None and packet.stream is heard:
                    sound.pass_on(packet)
                    continue
                for frame in packet.decode():
                    levels = reel.painted(_picture(frame, size))
                    shown = av.VideoFrame.from_ndarray(levels, format="rgb24")
                    shown.pts, shown.time_base = frame.pts, frame.time_base  # it stays as long
                    film.mux(out.encode(shown))
                    if report is not None:
                        report(reel.count, max(seen.frames, reel.count))
            film.mux(out.encode())
            if sound is not None:
                sound.end()
        assert reel.last is not None
        draft.replace(to)
    except av.error.FFmpegError as error:
        raise SourceError(f"{content}: cannot be painted ({error}); try another video") from None
    except OSError as error:
        raise NotSaved(f"{to}: cannot be written ({error}); make room, or allow it") from None
    finally:
        draft.unlink(missing_ok=True)
    return Filmed(
        to,
        reel.count,
        (reel.last.shape[3], reel.last.shape[2]),
        *reel.flicker(),
        time.monotonic() - started,
        sound is not None,
        peak_memory(painter.place),
        painter.steps,
        _means(painter.losses),
    )


def _means(losses: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    if not losses:
        return None, None
    content, style = np.mean(losses, 0).tolist()
    return content, style


class _Reel:
    """Frames as they are painted, and how much they flicker."""

    def __init__(self, paint: Callable[[Picture, Picture | None, Motion | None], Picture]) -> None:
        self._paint = paint
        self._told: list[tuple[float, float]] = []
        self._before: Picture | None = None
        self.last: Picture | None = None
        self.count = 0

    def painted(self, now: Picture) -> UInt8[np.ndarray, "h w 3"]:
        """The next frame, painted."""
        before, last = self._before, self.last
        between = None if before is None else motion(before, now)
        painted = self._paint(now, last, between)
        if between is not None and before is not None and last is not None:
            self._told.append((flicker(last, painted, between), flicker(before, now, between)))
        self._before, self.last, self.count = now, painted, self.count + 1
        return to_uint8(painted)[0].numpy()

    def flicker(self) -> tuple[float, float]:
        """Of the painting and of the video itself, on average over its frames."""
        if not self._told:
            return 0.0, 0.0
        own, theirs = (float(np.mean(each)) for each in zip(*self._told, strict=True))
        return own, theirs


class _Sound:
    """Sound goes along as it is; as AAC, where an MP4 cannot hold what it is."""

    def __init__(self, heard: Any, film: Any) -> None:
        self._film = film
        self._as_it_is = heard.codec_context.name in HELD
        self._out = (
            film.add_stream_from_template(heard)
            if self._as_it_is
            else film.add_stream(
                "aac", rate=heard.rate, layout=LAYOUTS.get(heard.channels, "stereo")
            )
        )

    def pass_on(self, packet: Any) -> None:
        """The next piece of it."""
        if not self._as_it_is:
            for frame in packet.decode():
                self._film.mux(self._out.encode(frame))
        elif packet.dts is not None:  # else it is the packet that ends the stream
            packet.stream = self._out
            self._film.mux(packet)

    def end(self) -> None:
        """The last piece."""
        if not self._as_it_is:
            self._film.mux(self._out.encode())


def _size(content: Path, size: int) -> tuple[int, int]:
    """Height and width of the painted frames; told by the first one, upright."""
    with _av(content).open(str(content)) as source:
        first = next(source.decode(video=0), None) if source.streams.video else None
        if first is None:
            raise SourceError(f"{content}: there are no moving pictures in it; name a video")
        height, width = _picture(first, size).shape[2:]
    return height, width


def _picture(frame: Any, size: int) -> Picture:
    """A frame as its camera was held, so large, with even sides, which colour in videos needs."""
    pixels = np.ascontiguousarray(
        np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
    )
    whole = levels_to_float(torch.from_numpy(pixels), 255)
    height, width = fitted((whole.shape[2], whole.shape[3]), size, step=2)
    check_pixels(height, width, None)
    return resized(whole, height, width)


def _av(content: Path) -> Any:
    try:
        import av
    except ImportError:
        raise BadInput(f"{content}: videos need PyAV: pip install 'impasto[video]'") from None
    return av
