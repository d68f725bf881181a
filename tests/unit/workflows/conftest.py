"""Two models to use: an autoencoder and a GAN, both tiny, of the same kittens."""

from pathlib import Path

import pytest
from small import KITTENS as SOURCE

import impasto
from impasto.sheets import write_png
from impasto.workflows.reading import opened, pictures

TINY = ("data.size=16", "family.width=8", "train.batch=8", "train.grid=4", "data.flip=false")


@pytest.fixture(scope="session")
def coder(tmp_path_factory) -> Path:
    """The run of a conditional autoencoder with as much training as a test can wait for."""
    run = tmp_path_factory.mktemp("coder") / "run"
    impasto.train(
        SOURCE,
        recipe="kittens-cvae",
        to=run,
        steps=60,
        device="cpu",
        settings=(*TINY, "family.latents=8", "data.validation=0.2"),
    ).finish()
    return run


@pytest.fixture(scope="session")
def drawer(tmp_path_factory) -> Path:
    """The run of a GAN that has only just begun."""
    run = tmp_path_factory.mktemp("drawer") / "run"
    impasto.train(
        SOURCE,
        recipe="kittens",
        to=run,
        steps=60,
        device="cpu",
        settings=(*TINY, "family.ema_half_life=0"),
    ).finish()
    return run


@pytest.fixture(scope="session")
def kitten(tmp_path_factory, coder) -> Path:
    """A picture in a file."""
    path = tmp_path_factory.mktemp("pictures") / "kitten.png"
    data = opened(coder).data
    write_png(pictures(SOURCE, data)[3], path)
    return path
