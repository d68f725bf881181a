"""The faults of faults.py, the pictures they are planted on, and how.

Some are settings that nobody should use; where no setting brings a fault about for certain, it is planted
in the code that the run uses: a generator that is given a handful of latents only has collapsed.
"""

import gzip
import os
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

SHARED = Path(os.environ.get("IMPASTO_SHARED", "../shared"))
DATA = SHARED / "data"


@dataclass(frozen=True)
class Subject:
    """Pictures, and the small training that they are used for."""

    source: str
    recipe: str
    settings: tuple[str, ...]
    batch: int
    steps: int
    only: tuple[str, ...] = ()
    limit: int | None = None
    classes: tuple[str, ...] = ()
    rare: tuple[str, str] = ("", "")  # an archive and a pattern: pictures of another kind


SMALL_DCGAN = (
    "data.size=32",
    "family.width=16",
    "family.generator_biases=[3]",
    "family.discriminator_biases=[0,1,2,3]",
)
SMALL_NORMED = (
    "data.size=32",
    "data.channels=1",
    "data.flip=false",
    "family.width=16",
    "family.latents=32",
    "family.learning_rate=5e-4",
)
SMALL_TRICK = ("family.width=8", "family.latents=32")

SUBJECTS = {
    # thresholds are set on these
    "low digits": Subject(
        str(DATA / "mnist"), "faces64", SMALL_NORMED, 32, 800, limit=4000, classes=tuple("01234")
    ),
    "cats": Subject(str(DATA / "cat-faces-64.zip"), "kittens", SMALL_DCGAN, 16, 1200, limit=2500),
    "anime": Subject(
        str(DATA / "anime-64.zip"),
        "frogs32",
        SMALL_TRICK,
        20,
        400,
        limit=2500,
        rare=(str(DATA / "cat-faces-64.zip"), "*"),
    ),
    # and proven on these
    "high digits": Subject(
        str(DATA / "mnist"), "faces64", SMALL_NORMED, 32, 800, limit=4000, classes=tuple("56789")
    ),
    "kittens": Subject(
        "kittens:2500",
        "frogs32",
        SMALL_TRICK,
        20,
        400,
        rare=(str(DATA / "anime-64.zip"), "*"),
    ),
    # by DCGAN: so narrow, the bag of tricks swings on frogs by itself
    "frogs": Subject(
        str(DATA / "cifar10-jpg.tar.gz"),
        "kittens",
        SMALL_DCGAN,
        16,
        1200,
        ("train/frog/*",),
        2500,
        rare=(str(DATA / "cifar10-jpg.tar.gz"), "train/horse/*"),
    ),
    # and shown on these and on digits, in the guide
    "dcgan kittens": Subject("kittens:2500", "kittens", SMALL_DCGAN, 16, 1200),
}
THRESHOLDS = ("low digits", "cats", "anime")
PROOF = ("high digits", "kittens", "frogs")
EVERY = ("faces64", "kittens", "frogs32")


def paced(recipe: str, discriminator: float, generator: float) -> tuple[str, ...]:
    """Each player's learning rate times its own factor."""
    if recipe == "frogs32":
        return (
            f"family.discriminator_learning_rate={8e-4 * discriminator}",
            f"family.generator_learning_rate={4e-4 * generator}",
        )
    return (
        f"family.learning_rate={5e-4 * generator}",
        f"family.discriminator_pace={discriminator / generator}",
    )


def scaled(recipe: str, factor: float) -> tuple[str, ...]:
    """Both learning rates times a factor."""
    return paced(recipe, factor, factor)


def unregularised(recipe: str) -> tuple[str, ...]:
    """Without what holds a discriminator back."""
    held = {
        "kittens": ("family.r1_gamma=0",),
        "frogs32": ("family.dropout=0", "family.label_noise=0"),
    }
    return held.get(recipe, ())


def unclipped(recipe: str) -> tuple[str, ...]:
    """Without a bound on gradients."""
    return ("family.clip_value=1e6",) if recipe == "frogs32" else ()


@contextmanager
def few_latents(kinds: int) -> Iterator[None]:
    """The generator is given one of so few latents only, so that it can draw so few pictures."""
    import torch

    from impasto.families import dcgan, mlp_gan, trick_gan

    def coarse(latents: torch.Tensor) -> torch.Tensor:
        drawn = torch.randn(kinds, latents.shape[1], generator=torch.Generator().manual_seed(7))
        codes = drawn.to(latents)
        return codes[(latents @ codes.T).argmax(1)] + 0.02 * latents

    def coarsened(forward: Callable[[Any, torch.Tensor], torch.Tensor]) -> Any:
        return lambda self, latents: forward(self, coarse(latents))

    with ExitStack() as stack:
        for module in (dcgan, mlp_gan, trick_gan):
            kind = module.Generator
            stack.enter_context(patch.object(kind, "forward", coarsened(kind.forward)))
        yield


@contextmanager
def unit_reals() -> Iterator[None]:
    """Real pixels in [0, 1], against a generator that draws in [-1, 1]."""
    from impasto.runs import examining, sitting

    def to_unit(images: Any) -> Any:
        return images.permute(0, 3, 1, 2).float() / 255

    with patch.object(sitting, "to_float", to_unit), patch.object(examining, "to_float", to_unit):
        yield


@contextmanager
def slow_loader() -> Iterator[None]:
    """Each batch takes longer to make than a step takes."""
    from impasto.data.feed import Feed

    at = Feed.at

    def slow(self: Feed, images_seen: int) -> Any:
        time.sleep(0.4)
        return at(self, images_seen)

    with patch.object(Feed, "at", slow):
        yield


@contextmanager
def uneven_pixels() -> Iterator[None]:
    """One pixel of four comes out brighter, and a discriminator that reads them by fours is blind to it."""
    import torch
    from torch.nn.functional import avg_pool2d, interpolate

    from impasto.families import dcgan

    draw, judge = dcgan.Generator.forward, dcgan.Discriminator.forward

    def uneven(self: Any, latents: torch.Tensor) -> torch.Tensor:
        images = draw(self, latents)
        pattern = torch.full_like(images, -1 / 3)
        pattern[..., ::2, ::2] = 1.0
        return 0.7 * images + 0.3 * pattern

    def blind(self: Any, images: torch.Tensor) -> torch.Tensor:
        return judge(self, interpolate(avg_pool2d(images, 2), scale_factor=2))

    with (
        patch.object(dcgan.Generator, "forward", uneven),
        patch.object(dcgan.Discriminator, "forward", blind),
    ):
        yield


@contextmanager
def swinging(turn: int) -> Iterator[None]:
    """Bright pictures for some steps, then dark ones: a shuffle that does not mix, and a game that runs after it."""
    import torch

    from impasto.data.feed import Feed, RawBatch

    at, choices = Feed.at, 4

    def one_kind(self: Feed, images_seen: int) -> RawBatch:
        batches = [at(self, choices * images_seen + k * self._batch) for k in range(choices)]
        images = torch.cat([batch.images for batch in batches])
        order = (
            images.float()
            .mean((1, 2, 3))
            .argsort(descending=bool(images_seen // self._batch // turn % 2))[: self._batch]
        )
        return RawBatch(images[order], torch.cat([batch.known for batch in batches])[order])

    with patch.object(Feed, "at", one_kind):
        yield


def one_class_rare(subject: Subject, to: Path) -> str:
    """A folder of pictures by class, one of which has but a few."""
    if subject.source.endswith("mnist"):
        with gzip.open(f"{subject.source}/train-images-idx3-ubyte.gz") as file:
            images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(f"{subject.source}/train-labels-idx1-ubyte.gz") as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8)
        for name in subject.classes:
            (to / name).mkdir(parents=True, exist_ok=True)
            count = FEW if name == subject.classes[-1] else MANY
            for index in np.flatnonzero(labels == int(name))[:count]:
                Image.fromarray(images[index]).save(to / name / f"{index}.png")
        return str(to)
    common = (subject.source, subject.only[0] if subject.only else "*")
    for name, (archive, pattern), count in (
        ("common", common, 2 * MANY),
        ("rare", subject.rare, FEW),
    ):
        (to / name).mkdir(parents=True, exist_ok=True)
        for index, picture in enumerate(islice(_members(archive, pattern), count)):
            (to / name / f"{index}.jpg").write_bytes(picture)
    return str(to)


def _members(archive: str, pattern: str) -> Iterator[bytes]:
    if archive.endswith(".zip"):
        with zipfile.ZipFile(archive) as pictures:
            for name in pictures.namelist():
                if fnmatch(name, pattern) and name.endswith(".jpg"):
                    yield pictures.read(name)
        return
    with tarfile.open(archive) as pictures:
        for member in pictures:
            file = pictures.extractfile(member) if fnmatch(member.name, pattern) else None
            if file is not None:
                yield file.read()


@dataclass(frozen=True)
class Fault:
    """How a fault is planted, given the subject's recipe.

    Attributes:
        settings: by the subject's recipe.
        planted: what is changed in the code while the run goes on.
        made: pictures made for it, in the place of the subject's.
        steps: as a part of the subject's own.
        recipes: of the subjects on which it can be planted.
        early: whether it shows in the first third of a run.
        curable: whether a remedy exists that a run can apply by itself.
    """

    settings: Callable[[str], tuple[str, ...]] = lambda _: ()
    planted: Callable[[], Any] = nullcontext
    made: Callable[[Subject, Path], str] | None = None
    limit: int | None = None
    batch: int | None = None
    steps: float = 1.0
    recipes: tuple[str, ...] = EVERY
    early: bool = True
    curable: bool = False


MANY, FEW = 500, 10  # pictures of a class
WELL = "well"

FAULTS = {
    WELL: Fault(),
    "discriminator wins": Fault(lambda r: (*paced(r, 4, 0.1), *unregularised(r)), curable=True),
    "generator wins": Fault(lambda r: paced(r, 0.01, 1), curable=True),
    "mode collapse": Fault(planted=lambda: few_latents(1)),
    "partial mode collapse": Fault(planted=lambda: few_latents(4)),
    "oscillation": Fault(
        # an average over the swings would hide them from whoever draws
        lambda r: (*scaled(r, 3), "family.ema_half_life=0"),
        planted=lambda: swinging(16),
        early=False,
        curable=True,
    ),
    "divergence": Fault(lambda r: (*scaled(r, 1000), *unclipped(r)), curable=True),
    "discriminator overfits": Fault(
        lambda r: (
            "data.validation=0.3",
            "data.flip=false",
            *paced(r, 2, 1),
            *unregularised(r),
        ),
        limit=120,
        steps=2.5,
        recipes=("kittens", "faces64"),  # the narrow trick_gan does not come so far
        early=False,
        curable=True,
    ),
    "memorisation": Fault(
        lambda _: ("data.flip=false", "data.validation=0"),
        limit=8,
        steps=2.5,
        recipes=("kittens",),  # the others collapse on so few
        early=False,
    ),
    "batch-norm leakage": Fault(batch=2, steps=2.0, recipes=("kittens", "faces64"), early=False),
    "checkerboard": Fault(planted=uneven_pixels, recipes=("kittens", "faces64"), early=False),
    "range mismatch": Fault(planted=unit_reals),
    "classes out of balance": Fault(made=one_class_rare, recipes=("faces64", "kittens")),
    "too few pictures": Fault(limit=60),
    "learning rate too high": Fault(
        lambda r: scaled(r, {"faces64": 150, "kittens": 25}.get(r, 15)), curable=True
    ),
    "learning rate too low": Fault(lambda r: scaled(r, 1 / 300), curable=True),
    "slow loader": Fault(planted=slow_loader, steps=0.3),
}
