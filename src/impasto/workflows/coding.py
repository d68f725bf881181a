"""Pictures to codes and back, as files: `encode` and `decode`."""

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from impasto.attributes import drawn
from impasto.errors import BadInput, DamagedFile, ModelError
from impasto.families import Model
from impasto.sheets import tile, write_png
from impasto.workflows.pictures import Report
from impasto.workflows.reading import codes_of, names_of, opened, pictures, written
from impasto.workflows.results import PICTURES, write_picture

KINDS = {".npy", ".csv"}


def encode(
    path: str | Path,
    source: str | Path,
    to: str | Path,
    *,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> tuple[int, int]:
    """Writes the codes of a source's pictures: posterior means, so a picture has the same ones at every call.

    Args:
        path: a run's directory or a model.safetensors file, of an autoencoder.
        source: the pictures.
        to: a .npy file, one row a picture, with the pictures' names in a .json beside it; or one .csv file
            with both.
        classes: keep these only.
        only: keep names that match one of these patterns.
        limit: keep at most so many.
        report: told how many pictures are done, of how many.

    Returns:
        Pictures, and numbers in a code.

    Raises:
        BadInput: model or source cannot be used, or nothing can be written there.
    """
    target = _target(to)
    model = opened(path)
    coder = model.coder
    prepared = pictures(source, model.data, classes=classes, only=only, limit=limit, report=report)
    codes, names = codes_of(coder, prepared, report), names_of(prepared)
    written(target)
    if target.suffix.lower() == ".npy":
        facts = {"model": model.digest.hex(), "source": prepared.source, "names": names}
        beside = target.with_suffix(".json")
        _whole(beside, json.dumps(facts, indent=1).encode() + b"\n")
        draft = target.with_name(f".{target.name}.part")
        with draft.open("wb") as file:
            np.save(file, codes, allow_pickle=False)
        os.replace(draft, target)
    else:
        draft = target.with_name(f".{target.name}.part")
        with draft.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["name", *(f"z{place}" for place in range(codes.shape[1]))])
            for name, code in zip(names, codes, strict=True):
                rows.writerow([name, *(repr(float(value)) for value in code)])
        os.replace(draft, target)
    return codes.shape[0], codes.shape[1]


def decode(
    path: str | Path,
    codes: str | Path,
    to: str | Path,
    *,
    condition: Sequence[str] = (),
) -> list[Path]:
    """Draws the pictures that codes stand for: one grid to a picture's name, or one file each to a directory.

    Args:
        path: a run's directory or a model.safetensors file; a GAN's latents are codes too.
        codes: a .npy or .csv file, as `encode` writes it.
        to: a .png, .jpg or .webp file, or a directory.
        condition: what the pictures show, of a conditional model.

    Raises:
        BadInput: the model or the codes cannot be used, or nothing can be written there.
    """
    model = opened(path).model
    target = Path(to)
    if target.suffix and target.suffix.lower() not in PICTURES and not target.is_dir():
        raise BadInput(f"--to {target}: name a .png, .jpg or .webp file, or a folder")
    rows = read_codes(codes, model)
    known = torch.from_numpy(np.repeat(asked_row(model, condition), len(rows), 0))
    images = model.decode(torch.from_numpy(rows), known)
    if target.suffix.lower() in PICTURES and not target.is_dir():
        write_picture(tile(images), written(target))
        return [target]
    try:
        target.mkdir(parents=True, exist_ok=True)
        files = [target / f"{index:06d}.png" for index in range(len(images))]
        for image, file in zip(images, files, strict=True):
            write_png(image, file)
    except OSError as error:
        raise BadInput(
            f"--to {target}: cannot be written: {error.strerror}; choose another place"
        ) from None
    return files


def asked_row(model: Model, condition: Sequence[str]) -> Float32[np.ndarray, "1 k"]:
    """What is asked for, the rest unknown.

    Raises:
        ConfigError: the model does not know what is asked for.
    """
    rows = drawn(model.attributes, condition, np.full((1, len(model.attributes)), 0.5))
    start = 0
    named = {word.partition("=")[0] for word in condition}
    for attribute in model.attributes:
        if attribute.name not in named and not named & set(attribute.values):
            rows[:, start : start + attribute.width] = 0
        start += attribute.width
    return rows


def read_codes(path: str | Path, model: Model) -> Float32[np.ndarray, "n z"]:
    """The codes in a file.

    Raises:
        BadInput: not such a file, or codes of another length than the model's.
    """
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"{file}: there is no such file of codes; make one with `impasto encode`")
    try:
        if file.suffix.lower() == ".csv":
            with file.open(encoding="utf-8", newline="") as lines:
                rows = np.array([row[1:] for row in list(csv.reader(lines))[1:]], np.float32)
        else:
            with file.open("rb") as content:
                rows = np.lib.format.read_array(content, allow_pickle=False)
                rows = rows.astype(np.float32, casting="same_kind")
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        raise DamagedFile(f"{file}: cannot be read as codes ({error}); write them again") from None
    if rows.ndim != 2 or rows.shape[1] != model.latents or not len(rows) or not _finite(rows):
        raise ModelError(
            f"{file}: holds {' x '.join(map(str, rows.shape))} numbers, and this model's codes are rows of "
            f"{model.latents} finite ones; encode with the same model"
        )
    return rows


def _finite(rows: Float32[np.ndarray, "n z"]) -> bool:
    return bool(np.isfinite(rows).all())


def _target(to: str | Path) -> Path:
    target = Path(to)
    if target.suffix.lower() not in KINDS:
        raise BadInput(f"--to {target}: codes are written as .npy or .csv; name such a file")
    return target


def _whole(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    os.replace(draft, path)
