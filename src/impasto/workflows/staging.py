"""From files to a scene: the content, the styles with their weights, masks and painted regions."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from impasto.data.original import Original, read_original
from impasto.errors import ConfigError, SourceError
from impasto.images import Picture, float_to_levels, levels_to_float
from impasto.style.canvas import Where
from impasto.style.color import KeepColor, recolored, shown
from impasto.style.memory import check_pixels
from impasto.style.scene import LEAST_SIDE, Part, Scene, Style, fitted, resized

ASPECT_APART = 0.02  # by how much a mask's shape may differ from its picture's
MOST_COLORS = 12  # in a picture of painted regions
LEAST_REGION = 0.002  # of a picture, to be a region and not the blur between two
PAINT_STEP = 32  # levels within which two colours of paint are one


@dataclass(frozen=True)
class Named:
    """A style's file and how much it counts."""

    path: Path
    weight: float = 1.0


@dataclass(frozen=True)
class Order:
    """The files of a painting.

    Attributes:
        content: a picture.
        styles: pictures whose manners are mixed, or one for each mask.
        masks: none; one that is white where the picture is painted; or one for each style.
        regions: none; or the content and then each style, their parts marked in flat colours.
        start: a picture to begin with; None for what the recipe says.
    """

    content: Path
    styles: tuple[Named, ...]
    masks: tuple[Path, ...] = ()
    regions: tuple[Path, ...] = ()
    start: Path | None = None

    def to_plain(self) -> dict[str, Any]:
        """The files by their full names, ready for JSON."""
        return {
            "content": str(self.content.resolve()),
            "styles": [[str(each.path.resolve()), each.weight] for each in self.styles],
            "masks": [str(path.resolve()) for path in self.masks],
            "regions": [str(path.resolve()) for path in self.regions],
            "start": str(self.start.resolve()) if self.start else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Order":
        """What `to_plain` gave."""
        return cls(
            Path(plain["content"]),
            tuple(Named(Path(path), weight) for path, weight in plain["styles"]),
            tuple(map(Path, plain["masks"])),
            tuple(map(Path, plain["regions"])),
            Path(plain["start"]) if plain["start"] else None,
        )

    def fingerprint(self) -> str:
        """A hash of what the files hold, and of what they are for."""
        digest = hashlib.sha256()
        files = [self.content, *(named.path for named in self.styles), *self.masks, *self.regions]
        for path in [*files, *([self.start] if self.start else [])]:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        counts = len(self.masks), len(self.regions), [named.weight for named in self.styles]
        digest.update(repr(counts).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Backdrop:
    """A picture that is to be painted, and what it takes to put the painting into a file again.

    Attributes:
        content: as its file holds it.
        plain: its colours at the painting's size, whatever a network is shown.
        paint: how much of each pixel is painted; None for all.
    """

    content: Original
    plain: Picture
    paint: Where | None


@dataclass(frozen=True)
class Staged(Backdrop):
    """What is to be painted, and how.

    Attributes:
        scene: what the network is shown.
        start: what to begin with; None for what the recipe says.
    """

    scene: Scene
    start: Picture | None


def backdrop(
    content: Path, size: int | None, mask: Path | None, memory: float | None = None
) -> Backdrop:
    """A picture at the size of its painting, which is its own by default.

    Raises:
        SourceError: a file is not a picture, is too small, or the mask has another shape.
        ConfigError: the painting does not fit into the memory.
    """
    own = _read(content)
    height, width = _painted_size(own, max(own.picture.size) if size is None else size, memory)
    paint = None if mask is None else _lit(_mask(mask, own, (height, width)), mask)
    return Backdrop(own.picture, resized(floated(own.picture, size), height, width), paint)


def stage(
    order: Order, *, size: int, scale: float, keep_color: KeepColor, memory: float | None = None
) -> Staged:
    """The scene that these files make.

    Args:
        order: the files.
        size: of the painting's longest side, in pixels.
        scale: of the styles' longest side, in the painting's.
        keep_color: how the content's colours are kept.
        memory: bytes that may be used; most of what is free by default.

    Raises:
        SourceError: a file is not a picture, is too small or shows nothing, or a mask has another shape than its
            picture.
        ConfigError: the number of masks, regions and styles does not fit, or the painting not into the memory.
    """
    if not order.styles:
        raise ConfigError(
            "no style: name at least one painting after the picture, or a network that learnt one with --fast"
        )
    if order.masks and order.regions:
        raise ConfigError(
            "--mask and --regions: give one of them; regions can do all that masks can"
        )
    own = _read(order.content)
    original = own.picture
    height, width = _painted_size(own, size, memory)
    plain = resized(floated(original, size), height, width)
    manners = []
    for each in order.styles:
        file = _read(each.path, into=original.profile)
        if file.picture.opacity is not None and not file.picture.opacity.any():
            raise SourceError(f"{each.path}: is transparent everywhere; give a painting to see")
        colors = recolored(_brought(file.picture, scale * size), plain, keep_color)
        manners.append(_Manner(file, Style(colors, each.weight, _opacity(file.picture))))
    seen = _where(original, height, width)
    if seen is not None and not float(seen.max()):
        raise SourceError(f"{order.content}: is transparent everywhere; give a picture to paint")
    parts, paint = _parts(own, manners, (height, width), order.masks, order.regions)
    if seen is not None:
        parts = [Part(p.styles, seen if p.where is None else p.where * seen) for p in parts]
    scene = Scene(shown(plain, keep_color), parts, scale, paint)
    start = None
    if order.start is not None:
        begun = _read(order.start, into=original.profile, shaped_as=own).picture
        start = resized(floated(begun, size), height, width)
    return Staged(original, plain, paint, scene, start)


def named(text: str) -> Named:
    """A style as it is typed: FILE, or FILE:WEIGHT.

    Raises:
        ConfigError: the weight is no positive number.
    """
    name, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return Named(Path(text))
    try:
        share = float(weight)
    except ValueError:
        if not Path(name).exists():
            return Named(Path(text))
        share = math.nan
    if not (share > 0 and math.isfinite(share)):
        raise ConfigError(f"{text}: a style's weight is above zero, such as {name}:2")
    return Named(Path(name), share)


def opened(path: Path) -> Picture:
    """All pixels of a picture's file, in [-1, 1].

    Raises:
        SourceError: it is no picture, or too small.
    """
    return floated(_read(path).picture)


def floated(original: Original, longest: float | None = None) -> Picture:
    """The pixels of a picture, in [-1, 1]: all of them, or twice as many as are wanted on the longest side."""
    levels, most = original.levels, 2 * longest if longest else math.inf
    if max(original.size) > most:
        # As the file has them: pixels of 32 bits would take several times the memory.
        share = most / max(original.size)
        size = [max(LEAST_SIDE, round(side * share)) for side in original.size]
        levels = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
    return levels_to_float(_tensor(levels), original.largest)


def brought(path: Path, longest: float) -> Picture:
    """A painting from its file, no larger than it is looked at, in [-1, 1].

    Raises:
        SourceError: it is no picture, or too small.
    """
    return _brought(_read(path).picture, longest)


def _brought(style: Original, longest: float) -> Picture:
    whole = floated(style, longest)
    size = whole.shape[2], whole.shape[3]
    return resized(whole, *fitted(size, longest, enlarged=False))


def _painted_size(content: "_File", size: int, memory: float | None) -> tuple[int, int]:
    """Height and width of a painting with so many pixels on its longest side."""
    if size < LEAST_SIDE:
        raise ConfigError(f"--size {size}: at least {LEAST_SIDE} pixels")
    wide, high = content.picture.size
    if min(wide, high) * size / max(wide, high) < LEAST_SIDE - 0.5:
        needed = math.ceil(LEAST_SIDE * max(wide, high) / min(wide, high))
        raise SourceError(
            f"{content.path}: is {wide} x {high}, of which --size {size} leaves less than {LEAST_SIDE} pixels on a "
            f"side; say --size {needed} or more"
        )
    height, width = fitted((high, wide), size)
    check_pixels(height, width, memory)
    return height, width


def _parts(
    content: "_File",
    manners: Sequence["_Manner"],
    size: tuple[int, int],
    masks: Sequence[Path],
    regions: Sequence[Path],
) -> tuple[list[Part], Tensor | None]:
    """The parts of the painting, and where it may be painted."""
    if regions:
        return list(_painted(content, manners, size, regions)), None
    styles = [manner.style for manner in manners]
    if not masks:
        return [Part(styles)], None
    if len(masks) not in {1, len(styles)}:
        raise ConfigError(
            f"--mask: {len(masks)} masks for {len(styles)} styles; give one for all, or one for each"
        )
    wheres = [_mask(path, content, size) for path in masks]
    paint = _lit(torch.stack(wheres).sum(0).clamp(max=1), masks[0])
    if len(masks) == 1:
        return [Part(styles, wheres[0])], paint
    return [Part([style], where) for style, where in zip(styles, wheres, strict=True)], paint


def _painted(
    content: "_File",
    manners: Sequence["_Manner"],
    size: tuple[int, int],
    regions: Sequence[Path],
) -> Iterator[Part]:
    """A part for each colour that the content's regions are painted in."""
    if len(regions) != 1 + len(manners):
        raise ConfigError(
            f"--regions: {len(regions)} pictures for a content and {len(manners)} styles; give the content's and "
            "then one for each style"
        )
    others = [
        (manner.style, _paints(path, manner.file))
        for path, manner in zip(regions[1:], manners, strict=True)
    ]
    for color, where in _paints(regions[0], content).items():
        taken = [replace(style, where=found[color]) for style, found in others if color in found]
        if not taken:
            raise SourceError(
                f"{regions[0]}: has a region in {_hex(color)}, which none of the styles' regions has; paint one "
                f"in {regions[1]} too"
            )
        yield Part(taken, resized_where(where, size))


def _paints(path: Path, of: "_File") -> dict[tuple[int, ...], Float[Tensor, "h w"]]:
    """Where each colour of a picture of regions is; soft edges count to the nearest."""
    levels = float_to_levels(floated(_read(path, shaped_as=of).picture), 255)
    flat = levels.flatten(0, 1).float()
    rough = (flat / PAINT_STEP).round().to(torch.int64).numpy()
    found, counts = np.unique(rough, axis=0, return_counts=True)
    kinds = torch.from_numpy(found[counts >= LEAST_REGION * len(rough)])
    if not 1 <= len(kinds) <= MOST_COLORS:
        raise SourceError(
            f"{path}: has {len(kinds)} colours; paint its regions in 1 to {MOST_COLORS} flat colours"
        )
    nearest: Int[Tensor, n] = torch.cdist(flat, kinds.float() * PAINT_STEP).argmin(1)
    return {
        tuple(kind.tolist()): (nearest == i).float().view(levels.shape[:2])
        for i, kind in enumerate(kinds)
    }


def resized_where(where: Float[Tensor, "h w"], size: tuple[int, int]) -> Float[Tensor, "h2 w2"]:
    """How much each pixel belongs to a region, at another size."""
    return interpolate(where[None, None], size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)


def _lit(where: Where, path: Path) -> Where:
    """Where a picture is painted, which is somewhere."""
    if float(where.max()) == 0:
        raise SourceError(
            f"{path}: is black everywhere; a mask is white where the picture is painted"
        )
    return where


def _mask(path: Path, content: "_File", size: tuple[int, int]) -> Float[Tensor, "h w"]:
    found = _read(path, shaped_as=content).picture
    light = (floated(found).mean(1)[0] + 1) / 2
    opacity = _opacity(found)
    return resized_where(light if opacity is None else light * opacity, size)


def _read(path: Path, *, into: bytes | None = None, shaped_as: "_File | None" = None) -> "_File":
    found = read_original(path, into=into)
    (width, height) = found.size
    if min(width, height) < LEAST_SIDE:
        raise SourceError(
            f"{path}: is {width} x {height}; pictures of at least {LEAST_SIDE} pixels on each side can be painted, "
            "or painted like"
        )
    if shaped_as is not None:
        wide, high = shaped_as.picture.size
        if abs(math.log(width / height * high / wide)) > ASPECT_APART:
            raise SourceError(
                f"{path}: is {width} x {height}, and {shaped_as.path} is {wide} x {high}; a mask has the shape of "
                "its picture"
            )
    return _File(path, found)


@dataclass(frozen=True)
class _File:
    path: Path
    picture: Original


@dataclass(frozen=True)
class _Manner:
    file: _File
    style: Style


def _where(original: Original, height: int, width: int) -> Tensor | None:
    opacity = _opacity(original)
    return None if opacity is None else resized_where(opacity, (height, width))


def _opacity(original: Original) -> Tensor | None:
    if original.opacity is None:
        return None
    return _tensor(original.opacity).float() / original.largest


def _tensor(levels: np.ndarray) -> Tensor:
    return torch.from_numpy(levels.astype(np.int32))


def _hex(color: tuple[int, ...]) -> str:
    return "#" + "".join(f"{min(255, level * PAINT_STEP):02x}" for level in color)
