"""What the uses of a model begin with: the model, and pictures as it wants them."""

import hashlib
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.decode import decode
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.rules import Rules
from impasto.data.sources.items import printable
from impasto.errors import BadInput, ModelError, SourceError
from impasto.families import Model
from impasto.families.coder import AutoencoderModel
from impasto.runs.export import read_config, read_model
from impasto.workflows.pictures import Report
from impasto.workflows.results import model_file

BLOCK = 1_024  # pictures read together
READ = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}


@dataclass(frozen=True)
class Opened:
    """A model, and what it was trained to see.

    Attributes:
        path: its file.
        digest: of its networks, whatever else its file says.
        data: how its pictures were brought to their size.
    """

    path: Path
    model: Model
    digest: bytes
    data: DataConfig

    @property
    def coder(self) -> AutoencoderModel:
        """The model, as one that turns pictures into codes.

        Raises:
            ModelError: it only draws.
        """
        if not isinstance(self.model, AutoencoderModel):
            raise ModelError(
                f"{self.path}: this model draws pictures and does not read them; train an autoencoder, such as "
                "--recipe lfw64-vae, or find the latents of a picture with `impasto invert`"
            )
        return self.model


def opened(path: str | Path) -> Opened:
    """The model in a run's directory or a model.safetensors file.

    Raises:
        BadInput: there is none, it is damaged, or a newer impasto wrote it.
    """
    file = model_file(path)
    model = read_model(file)
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.float().numpy()).tobytes())
    data = replace(read_config(file).data, classes=(), only=(), limit=None, labels=None)
    return Opened(file, model, digest.digest(), data)


def picture(path: str | Path, data: DataConfig) -> UInt8[np.ndarray, "h w c"]:
    """One picture from its file, as a model wants it.

    Raises:
        SourceError: there is none, or it cannot be decoded.
    """
    file = Path(path)
    if not file.exists():
        raise SourceError(f"{file}: there is no such picture")
    if file.is_dir():
        raise SourceError(f"{file}: a folder; name one picture")
    try:
        return decode(
            file, config=replace(data, crop="center" if data.crop == "random" else data.crop)
        )
    except SourceError as error:
        raise SourceError(f"{printable(str(file))}: {error}") from None


def pictures(
    source: str | Path,
    data: DataConfig,
    *,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> Prepared:
    """A source's pictures, all of them, as a model wants them; a file with one picture is a source too.

    Raises:
        BadInput: there is no such source, or a set that was prepared with smaller pictures.
    """
    if is_prepared(source):
        prepared = Prepared.open(source)
        found = prepared.config
        if found.size < data.size or found.channels != data.channels:
            raise SourceError(
                f"{source}: prepared at {found.size} pixels with {found.channels} channels, and the model sees "
                f"{data.size} with {data.channels}; name the pictures that the set was made of"
            )
        if classes or only or limit:
            raise SourceError(
                f"{source}: prepared already; leave --classes, --only and --limit out"
            )
        return prepared.viewed(data)
    if Path(source).suffix.lower() in READ and Path(source).is_file():
        source, only = Path(source).parent, (escape(Path(source).name),)
    asked = replace(
        data,
        classes=classes,
        only=only,
        limit=limit,
        rules=Rules(),
        crop="center" if data.crop == "random" else data.crop,
    )
    return prepare(source, asked, report=report)


def names_of(prepared: Prepared) -> list[str]:
    """The names of a set's pictures, in order."""
    names = {row["slot"]: row["name"] for row in layout.read_rows(prepared.path / layout.ROWS)}
    return [printable(names[slot]) for slot in prepared.slots(np.arange(len(prepared))).tolist()]


def codes_of(
    model: AutoencoderModel, prepared: Prepared, report: Report | None = None
) -> Float32[np.ndarray, "n z"]:
    """The codes of all pictures of a set, by their pixels alone: so a picture has the same code wherever it lies."""
    positions = np.arange(len(prepared))
    found = np.empty((len(prepared), model.latents), np.float32)
    for start in range(0, len(prepared), BLOCK):
        some = positions[start : start + BLOCK]
        found[some] = model.encode(prepared.images(some)).numpy()
        if report is not None:
            report(start + len(some), len(prepared))
    return found


def written(path: str | Path, option: str = "--to") -> Path:
    """A file's name, its folder made.

    Raises:
        BadInput: nothing can be written there.
    """
    target = Path(path)
    if target.is_dir():
        raise BadInput(f"{option} {target}: a folder; name a file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab"):
            pass
    except OSError as error:
        raise BadInput(
            f"{option} {target}: cannot be written: {error.strerror}; choose another place"
        ) from None
    if not target.stat().st_size:
        target.unlink()
    return target


def made(folder: str | Path, option: str = "--to") -> Path:
    """A folder, made if it is not there.

    Raises:
        BadInput: it cannot be.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"{option} {target}: cannot be made: {error.strerror}; choose another place"
        ) from None
    return target
