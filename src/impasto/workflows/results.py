"""What a run leaves: a model to draw from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from impasto.errors import BadInput, ModelError, RunError
from impasto.families import Model
from impasto.runs.directory import Run
from impasto.runs.export import read_model
from impasto.sheets import tile, to_picture, write_png

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}


def load(path: str | Path) -> Model:
    """The model in a run's directory or in a model.safetensors file.

    Raises:
        BadInput: there is none, it is damaged, or a newer impasto wrote it.
    """
    return read_model(model_file(path))


def model_file(path: str | Path) -> Path:
    """The file of the model that a run's directory or a file's name stands for.

    Raises:
        BadInput: there is none.
    """
    place = Path(path)
    if not place.exists():
        raise ModelError(
            f"{place}: there is no such run or model; name a run's directory or its model.safetensors"
        )
    if place.is_dir():
        place = Run.open(place).model_path
        if not place.exists():
            raise RunError(
                f"{place.parent}: no model was saved yet; go on with `impasto resume {place.parent}`"
            )
    return place


def sample(
    path: str | Path,
    n: int = 64,
    *,
    seed: int = 0,
    condition: Sequence[str] = (),
    to: str | Path | None = None,
) -> list[Path]:
    """Draws pictures and writes them: one grid to a picture's name, or one file each to a directory.

    Args:
        path: a run's directory or a model.safetensors file.
        n: how many.
        seed: which; picture i of a seed is always the same.
        condition: what they are to show, such as `smile=yes`, of a model that was told such things.
        to: a .png, .jpg or .webp file for one grid, else a directory; a grid named by the seed in the
            current directory by default.

    Returns:
        The files written.

    Raises:
        BadInput: there is no such model, it cannot be asked for this, or nothing can be written there.
    """
    if n < 1:
        raise BadInput(f"-n {n}: must be above zero")
    if seed < 0:
        raise BadInput(f"--seed {seed}: must not be negative")
    images = load(path).sample(n, seed, condition)
    target = Path(to) if to is not None else Path(f"sample-{seed}.png")
    try:
        if target.suffix.lower() in PICTURES and not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_picture(tile(images), target)
            return [target]
        target.mkdir(parents=True, exist_ok=True)
        files = [target / f"{seed}-{index:06d}.png" for index in range(n)]
        for image, file in zip(images, files, strict=True):
            write_png(image, file)
    except OSError as error:
        raise BadInput(
            f"{target}: cannot be written: {error.strerror}; choose another place with --to"
        ) from None
    return files


def write_picture(sheet: UInt8[np.ndarray, "h w c"], path: Path) -> None:
    """Writes a picture in the format that its name says."""
    if path.suffix.lower() == ".png":
        write_png(sheet, path)
    else:
        to_picture(sheet).save(path, quality=95)
