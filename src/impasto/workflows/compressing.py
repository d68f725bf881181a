"""A picture as its codes in a file, and back: `compress` and `decompress`, with honest comparisons."""

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, features

from impasto.data.color import to_srgb
from impasto.errors import BadInput, ConfigError, ModelError, SourceError
from impasto.families.coder import AutoencoderModel
from impasto.images import to_float
from impasto.latents.bitstream import LARGEST, Basis, Coded, model_of, pack, tiles_of, unpack
from impasto.losses.structure import dissimilarity
from impasto.places import cache_home
from impasto.sheets import to_picture
from impasto.workflows.pictures import Report
from impasto.workflows.reading import Opened, opened, written
from impasto.workflows.results import write_picture

SUFFIX = ".imp"
STEP = 0.25  # of the codes' largest deviation, by default
HEAD = 8  # bytes of a model's digest
READ = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".gif")
CODECS = {"jpeg": "JPEG", "webp": "WEBP", "avif": "AVIF"}
SHRUNK = (1, 2, 4, 8)  # times, where a codec cannot be so small otherwise


@dataclass(frozen=True)
class Rendition:
    """A picture as a codec left it.

    Attributes:
        bytes: of the file.
        psnr: peak signal over noise, in dB.
        ssim: structural similarity, up to 1.
    """

    bytes: int
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Compressed:
    """A file that was written, and what others make of the same picture in no more bytes.

    Attributes:
        others: by codec; none where it cannot be so small.
    """

    name: str
    path: Path
    width: int
    height: int
    own: Rendition
    others: dict[str, Rendition | None] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """As JSON tells it."""
        others = {name: asdict(told) if told else None for name, told in self.others.items()}
        return {
            "picture": self.name,
            "to": str(self.path),
            "width": self.width,
            "height": self.height,
            "bits_per_pixel": 8 * self.own.bytes / (self.width * self.height),
            **asdict(self.own),
            "others": others,
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
    _remember(opened_)
    place, target = Path(source), Path(to)
    if not place.exists():
        raise SourceError(f"{place}: there is no such picture or folder")
    files = _pictures_in(place) if place.is_dir() else [place]
    found = []
    for done, file in enumerate(files):
        goal = target
        if place.is_dir():
            goal = target / file.relative_to(place).with_suffix(SUFFIX)
        image = _read(file, opened_.model.shape.channels)
        content = pack(coded(image, opened_, basis, step), basis)
        written(goal).write_bytes(content)
        back = drawn(
            unpack(content, basis, opened_.model.shape.size, where=str(goal)), opened_, basis
        )
        own = _rendition(len(content), image, back)
        others = {name: _beside(image, name, len(content)) for name in CODECS} if compare else {}
        found.append(Compressed(file.name, goal, image.shape[1], image.shape[0], own, others))
        if report is not None:
            report(done + 1, len(files))
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
            used = opened(model if model is not None else _recall(head, file))
            if used.digest[:HEAD] != head:
                raise ModelError(
                    f"{file}: compressed by another model ({head.hex()}) than {used.path} "
                    f"({used.digest[:HEAD].hex()}); name that one with --model"
                )
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
    return Basis.of(mean.numpy(), covariance.numpy())


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


def _rendition(
    size: int, image: UInt8[np.ndarray, "h w c"], back: UInt8[np.ndarray, "h w c"]
) -> Rendition:
    error = float(np.square(image.astype(np.float64) - back).mean())
    psnr = 10 * np.log10(255**2 / error) if error else float("inf")
    pair = [to_float(torch.from_numpy(np.array(each[None]))) for each in (image, back)]
    return Rendition(size, float(psnr), 1 - float(dissimilarity(*pair).mean()))


def _beside(image: UInt8[np.ndarray, "h w c"], codec: str, budget: int) -> Rendition | None:
    """The truest picture that another codec makes in so many bytes, shrunk first where that is truer."""
    if not features.check(codec if codec != "jpeg" else "jpg"):
        return None
    picture, best = to_picture(image), None
    for times in SHRUNK:
        size = max(1, picture.width // times), max(1, picture.height // times)
        small = picture.resize(size, Image.Resampling.LANCZOS)
        content = _fitted(small, CODECS[codec], budget)
        if content is None:
            continue
        with Image.open(io.BytesIO(content)) as again:
            back = np.asarray(
                again.convert(picture.mode).resize(picture.size, Image.Resampling.BICUBIC)
            ).reshape(image.shape)
        told = _rendition(len(content), image, back)
        if best is None or told.psnr > best.psnr:
            best = told
    return best


def _fitted(picture: Image.Image, codec: str, budget: int) -> bytes | None:
    """The file of the highest quality that has at most so many bytes."""
    low, high, best = 1, 95, None
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        picture.save(buffer, codec, quality=quality)
        if buffer.tell() <= budget:
            best, low = buffer.getvalue(), quality + 1
        else:
            high = quality - 1
    return best


def _read(file: Path, channels: int) -> UInt8[np.ndarray, "h w c"]:
    try:
        with Image.open(file) as image:
            if max(image.size) > LARGEST:
                raise SourceError(
                    f"{file}: {image.width} x {image.height} pixels; at most {LARGEST:,} on a side are compressed"
                )
            image.load()
            shown = to_srgb(
                image, image.info.get("icc_profile"), channels=channels, background="#ffffff"
            )
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{file}: cannot be read as a picture ({error})") from None
    return np.asarray(shown).reshape(shown.height, shown.width, channels)


def _pictures_in(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in READ)
    if not files:
        raise SourceError(f"{folder}: no pictures in it")
    return files


def _remember(model: Opened) -> None:
    """Keeps where the model is, so that decompressing on this machine finds it."""
    place = _kept(model.digest[:HEAD])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"model": str(model.path.resolve())}), encoding="utf-8")
    except OSError:
        return  # then it has to be named


def _recall(head: bytes, file: Path) -> Path:
    try:
        path = Path(json.loads(_kept(head).read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError, TypeError):
        path = None
    if path is None or not path.exists():
        raise BadInput(
            f"{file}: compressed by a model ({head.hex()}) that this machine does not remember; name it with --model"
        )
    return path


def _kept(head: bytes) -> Path:
    return cache_home() / "models" / f"{head.hex()}.json"
