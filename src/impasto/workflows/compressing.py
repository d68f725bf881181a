"""A picture as its codes in a file, and back: `compress` and `decompress`, with honest comparisons."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from impasto.data.original import flattened, read_original
from impasto.errors import ConfigError, SourceError
from impasto.families.coder import AutoencoderModel
from impasto.latents.bitstream import LARGEST, Basis, Coded, model_of, pack, tiles_of, unpack
from impasto.workflows.codecs import Rendition, Rival, rendition, rivals
from impasto.workflows.pictures import Report
from impasto.workflows.reading import READ, Opened, opened, written
from impasto.workflows.remembering import HEAD, recalled, remember
from impasto.workflows.results import write_picture

SUFFIX = ".imp"
STEP = 0.25  # of the codes' largest deviation, by default


@dataclass(frozen=True)
class Compressed:
    """A file that was written, and what others make of the same picture."""

    name: str
    path: Path
    width: int
    height: int
    own: Rendition
    others: dict[str, Rival] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "picture": self.name,
            "to": str(self.path),
            "width": self.width,
            "height": self.height,
            "bits_per_pixel": 8 * self.own.bytes / (self.width * self.height),
            **asdict(self.own),
            "others": {n: asdict(r.within) if r.within else None for n, r in self.others.items()},
            "bytes_as_true": {name: rival.as_true for name, rival in self.others.items()},
            "smallest_bytes": {name: rival.smallest for name, rival in self.others.items()},
        }


def compress(
    source: str | Path,
    to: str | Path,
    *,
    model: str | Path,
    step: float = STEP,
    compare: bool = True,
    report: Report | None = None,
) -> list[Compressed]:
    """Writes pictures as their codes: in tiles of the model's size, quantised, by an entropy coder.

    Args:
        source: a picture, or a folder of them.
        to: a .imp file for one picture, a folder for a folder.
        model: a run's directory or a model.safetensors file of an autoencoder; decompressing needs the same.
        step: of quantisation, as a share of the codes' largest deviation; smaller is truer and longer.
        compare: whether others are tried at no more bytes.
        report: told how many pictures are done, of how many.

    Raises:
        BadInput: picture or model cannot be used, or nothing can be written there.
    """
    if not 0.001 <= step <= 10:
        raise ConfigError(f"--step {step}: between 0.001 and 10")
    opened_ = opened(model)
    basis = basis_of(opened_.coder)
    remember(opened_)
    goals = _goals(Path(source), Path(to))
    found = []
    for done, (file, goal) in enumerate(goals.items()):
        image = _read(file, opened_.model.shape.channels)
        content = pack(coded(image, opened_, basis, step), basis)
        written(goal).write_bytes(content)
        back = drawn(
            unpack(content, basis, opened_.model.shape.size, where=str(goal)), opened_, basis
        )
        own = rendition(len(content), image, back)
        others = dict(rivals(image, own)) if compare else {}
        found.append(Compressed(file.name, goal, image.shape[1], image.shape[0], own, others))
        if report is not None:
            report(done + 1, len(goals))
    return found


def decompress(
    source: str | Path,
    to: str | Path,
    *,
    model: str | Path | None = None,
    report: Report | None = None,
) -> list[Path]:
    """Writes the pictures that compressed files stand for.

    Args:
        source: a .imp file, or a folder of them.
        to: a picture's name, or a folder.
        model: which it was compressed by; where this machine compressed it, that is remembered.
        report: told how many are done, of how many.

    Raises:
        BadInput: not such a file, damaged, or the model is another or not here.
    """
    place, target = Path(source), Path(to)
    if not place.exists():
        raise SourceError(f"{place}: there is no such file")
    files = sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    if not files:
        raise SourceError(f"{place}: no {SUFFIX} files in it")
    models: dict[bytes, tuple[Opened, Basis]] = {}
    paths = []
    for done, file in enumerate(files):
        content = file.read_bytes()
        head = model_of(content, where=str(file))
        if head not in models:
            used = recalled(head, model, where=f"{file}: compressed")
            models[head] = used, basis_of(used.coder)
        used, basis = models[head]
        image = drawn(unpack(content, basis, used.model.shape.size, where=str(file)), used, basis)
        goal = target
        if place.is_dir():
            goal = target / file.relative_to(place).with_suffix(".png")
        write_picture(image, written(goal))
        paths.append(goal)
        if report is not None:
            report(done + 1, len(files))
    return paths


def basis_of(model: AutoencoderModel) -> Basis:
    """The axes along which a model's codes are coded."""
    mean, covariance = model.density.moments()
    return Basis.of(mean.numpy(), covariance.numpy(), model.density.axes.double().numpy())


def coded(image: UInt8[np.ndarray, "h w c"], model: Opened, basis: Basis, step: float) -> Coded:
    """A picture of any size as quantised codes of its tiles; past its edge, it is mirrored."""
    side = model.model.shape.size
    height, width, channels = image.shape
    down, across = tiles_of(width, height, side)
    padding = (0, down * side - height), (0, across * side - width), (0, 0)
    whole = np.pad(image, padding, "symmetric")
    tiles = whole.reshape(down, side, across, side, channels).swapaxes(1, 2)
    codes = model.coder.encode(tiles.reshape(-1, side, side, channels)).double().numpy()
    steps = basis.quantised(codes, step)
    return Coded(steps, width, height, step, model.digest[:HEAD])


def drawn(told: Coded, model: Opened, basis: Basis) -> UInt8[np.ndarray, "h w c"]:
    """The picture that quantised codes stand for."""
    coder, side = model.coder, model.model.shape.size
    codes = torch.from_numpy(basis.restored(told.codes, told.step))
    known = torch.zeros(len(codes), sum(attribute.width for attribute in coder.attributes))
    tiles = coder.decode(codes, known)
    down, across = tiles_of(told.width, told.height, side)
    channels = tiles.shape[-1]
    whole = tiles.reshape(down, across, side, side, channels).swapaxes(1, 2)
    whole = whole.reshape(down * side, across * side, channels)
    return np.ascontiguousarray(whole[: told.height, : told.width])


def _read(file: Path, channels: int) -> UInt8[np.ndarray, "h w c"]:
    original = read_original(file)
    if max(original.size) > LARGEST:
        raise SourceError(
            f"{file}: {original.size[0]} x {original.size[1]} pixels; at most {LARGEST:,} on a side are compressed"
        )
    return flattened(original, channels)


def _goals(source: Path, to: Path) -> dict[Path, Path]:
    """The file that each picture becomes: of its name, with the old ending too where names would be alike."""
    if not source.exists():
        raise SourceError(f"{source}: there is no such picture or folder")
    if not source.is_dir():
        if to.suffix.lower() != SUFFIX:
            raise ConfigError(f"--to {to}: a compressed picture is a {SUFFIX} file; name one")
        return {source: to}
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in READ)
    if not files:
        raise SourceError(f"{source}: no pictures in it")
    often = Counter(file.with_suffix("") for file in files)
    return {
        file: to
        / (
            relative.with_suffix(SUFFIX)
            if often[file.with_suffix("")] == 1
            else relative.with_name(relative.name + SUFFIX)
        )
        for file in files
        for relative in (file.relative_to(source),)
    }
