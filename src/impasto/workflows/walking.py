"""Moving among a model's latents: from one picture to another, along an attribute, and towards a given picture."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from impasto.errors import BadInput, ConfigError
from impasto.families.coder import AutoencoderModel
from impasto.images import to_float
from impasto.latents.inversion import STARTS, Found
from impasto.latents.inversion import invert as _inverted
from impasto.latents.paths import through
from impasto.sheets import tile, write_png
from impasto.views.film import MIME, make_film
from impasto.workflows.coding import asked_row
from impasto.workflows.pictures import Report
from impasto.workflows.reading import Opened, opened, picture, written
from impasto.workflows.results import PICTURES, write_picture

Way = Literal["linear", "spherical"]
STRIP, FILM = 9, 24  # pictures from one station to the next, by default
SECONDS = 2.0  # of a film from one station to the next
STEPS = 300  # of an inversion


def interpolate(
    path: str | Path,
    to: str | Path,
    *,
    between: Sequence[str | Path] = (),
    seeds: Sequence[int] = (),
    way: Way | None = None,
    steps: int | None = None,
    condition: Sequence[str] = (),
    report: Report | None = None,
) -> Path:
    """Draws the pictures on the way from one to the next: as a strip, a row for each leg, or as a film.

    Args:
        path: a run's directory or a model.safetensors file.
        to: a .png or .jpg file for a strip; .webp, .gif or .mp4 for a film.
        between: two pictures or more; of a model that only draws, their latents are looked for first.
        seeds: two seeds or more instead, of which picture 0 each is a station.
        way: along lines, or along great circles; by default lines among the codes of an autoencoder, and
            circles among a GAN's latents, which all lie near one sphere.
        steps: pictures in a leg, both ends counted.
        condition: what all show, of a conditional model.
        report: told how far the search for latents is.

    Returns:
        The file.

    Raises:
        BadInput: model or pictures cannot be used, fewer than two stations, or nothing can be written there.
    """
    target = Path(to)
    kind = target.suffix.lower()
    moving = kind in MIME
    if kind not in PICTURES | MIME.keys():
        raise BadInput(
            f"--to {target}: a strip is written as .png or .jpg, a film as {', '.join(MIME)}; name such a file"
        )
    if bool(between) == bool(seeds) or max(len(between), len(seeds)) < 2:
        raise ConfigError(
            "interpolate: give --between two pictures or more, or --seeds two or more"
        )
    steps = (FILM if moving else STRIP) if steps is None else steps
    if steps < 2:
        raise ConfigError(f"--steps {steps}: must be at least 2")
    model = opened(path)
    known = torch.from_numpy(asked_row(model.model, condition))
    stations = (
        latents_of(model, between, known, report=report) if between else seeded(model, seeds, known)
    )
    spherically = (way or _usual(model)) == "spherical"
    latents = through(stations, steps - 1, spherically=spherically)
    images = model.model.decode(latents, known.expand(len(latents), -1))
    written(target)
    if moving:
        _film(images, target, SECONDS * (len(stations) - 1))
    else:
        legs = [
            images[leg * (steps - 1) : (leg + 1) * (steps - 1) + 1]
            for leg in range(len(stations) - 1)
        ]
        write_picture(tile(np.concatenate(legs), steps), target)
    return target


def invert(
    path: str | Path,
    picture_file: str | Path,
    to: str | Path,
    *,
    steps: int = STEPS,
    seed: int = 0,
    condition: Sequence[str] = (),
    report: Report | None = None,
) -> Found:
    """Finds the latents from which a model draws something like a picture, and draws it beside the picture.

    The start is what the encoder says, where there is one, and else the best of many draws.

    Args:
        path: a run's directory or a model.safetensors file.
        picture_file: the picture.
        to: a .npy file for the latents, or a picture of both side by side.
        steps: of the optimisation.
        seed: of the draws.
        condition: what it shows, of a conditional model.
        report: told how many steps are done, of how many.

    Raises:
        BadInput: model or picture cannot be used, or nothing can be written there.
    """
    target = Path(to)
    if target.suffix.lower() not in PICTURES | {".npy"}:
        raise BadInput(f"--to {target}: name a .npy file for the latents, or a .png to look at")
    if steps < 0:
        raise ConfigError(f"--steps {steps}: must not be negative")
    model = opened(path)
    image = picture(picture_file, model.data)
    known = torch.from_numpy(asked_row(model.model, condition))
    found = _search(model, image, known, steps=steps, seed=seed, report=report)
    written(target)
    if target.suffix.lower() == ".npy":
        with target.open("wb") as file:
            np.save(file, found.latents[None].numpy(), allow_pickle=False)
    else:
        drawn = model.model.decode(found.latents[None], known)
        write_picture(tile(np.stack([image, drawn[0]]), 2), target)
    return found


def latents_of(
    model: Opened,
    files: Sequence[str | Path],
    known: Float[Tensor, "1 k"],
    *,
    report: Report | None = None,
) -> Float[Tensor, "n z"]:
    """The latents of pictures: what the encoder says, or what is found where there is none."""
    images = [picture(file, model.data) for file in files]
    if isinstance(model.model, AutoencoderModel):
        return model.model.encode(np.stack(images), known.expand(len(images), -1))
    found = [_search(model, image, known, report=report).latents for image in images]
    return torch.stack(found)


def _search(
    model: Opened,
    image: UInt8[np.ndarray, "h w c"],
    known: Float[Tensor, "1 k"],
    *,
    steps: int = STEPS,
    seed: int = 0,
    report: Report | None = None,
) -> Found:
    drawing = model.model

    def draw(latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        return drawing.pictured(latents, known.expand(len(latents), -1))

    if isinstance(drawing, AutoencoderModel):
        starts = drawing.encode(image[None], known).clone()
    else:
        many = known.expand(64, -1)
        starts = torch.cat([drawing.draw(seed, block, many) for block in range(STARTS // 64)])
    wanted = to_float(torch.from_numpy(image[None].copy()))[0]
    best = Found(starts[0], float("inf"))
    for done, found in enumerate(_inverted(draw, wanted, starts, steps=steps)):
        best = found
        if report is not None:
            report(done, steps)
    return best


def seeded(
    model: Opened, seeds: Sequence[int], known: Float[Tensor, "1 k"]
) -> Float[Tensor, "n z"]:
    """The latents of picture 0 of each seed.

    Raises:
        ConfigError: one is negative.
    """
    if any(seed < 0 for seed in seeds):
        raise ConfigError(f"--seeds {' '.join(map(str, seeds))}: must not be negative")
    many = known.expand(64, -1)
    return torch.stack([model.model.draw(seed, 0, many)[0] for seed in seeds])


def _usual(model: Opened) -> Way:
    return "linear" if isinstance(model.model, AutoencoderModel) else "spherical"


def _film(images: UInt8[np.ndarray, "n h w c"], target: Path, seconds: float) -> None:
    with TemporaryDirectory() as folder:
        frames = [Path(folder) / f"{place:06d}.png" for place in range(len(images))]
        for image, frame in zip(images, frames, strict=True):
            write_png(image, frame)
        make_film(frames, target, seconds=seconds)
