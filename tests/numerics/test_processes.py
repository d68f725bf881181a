"""The result does not depend on how many processes share the work, up to rounding."""

import subprocess
import sys

import pytest
import torch

from impasto.runs.checkpoint import last_state
from impasto.runs.directory import Run

TINY = {
    "dcgan": ("kittens", "data.size=16", "family.width=8", "family.latents=8"),
    "trick_gan": ("frogs32", "data.size=24", "family.width=8", "family.latents=8"),
    "mlp_gan": (
        "mnist-mlp",
        "data.size=8",
        "data.channels=1",
        "family.width=16",
        "family.latents=8",
    ),
}
ALONE = [sys.executable, "-m", "impasto"]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--nproc-per-node",
    "2",
    "--master-port",
    "29611",
    "-m",
    "impasto",
]


def trained(command, to, family, *options):
    recipe, *settings = TINY[family]
    arguments = [
        "train",
        "kittens:40",
        "--recipe",
        recipe,
        "--steps",
        "5",
        "--to",
        str(to),
        "--device",
        "cpu",
        *options,
    ]
    arguments += ["--set", "train.batch=8", "train.grid=4", *settings]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report:") == 1, "only the first process speaks"
    return last_state(to / "state")[0].tensors


def assert_close(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        torch.testing.assert_close(
            value, right[name], rtol=2e-3, atol=2e-5, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("family", TINY)
def test_two_processes_reach_the_weights_of_one(family, tmp_path):
    one = trained(ALONE, tmp_path / "one", family)
    two = trained(ALONE, tmp_path / "two", family, "--devices", "2")
    assert_close(one, two)
    told = [
        [e for e in Run.open(tmp_path / n).events() if hasattr(e, "scalars")][-1].scalars
        for n in ("one", "two")
    ]
    for name in ("generator_loss", "discriminator_loss", "real_score", "held_out_score"):
        assert told[0][name] == pytest.approx(told[1][name], rel=1e-3)


def test_torchrun_starts_the_same_command(tmp_path):
    two = trained(ALONE, tmp_path / "two", "dcgan", "--devices", "2")
    under = trained(TORCHRUN, tmp_path / "under", "dcgan")
    assert all(torch.equal(two[name], under[name]) for name in two)


def test_a_batch_that_cannot_be_shared_evenly_is_named(tmp_path):
    done = subprocess.run(
        [*ALONE, "train", "kittens:40", "--steps", "1", "--to", str(tmp_path / "run"), "--devices", "2",
         "--set", "train.batch=9", "data.size=16"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert "train.batch: 9 images cannot be shared evenly by 2 processes" in done.stderr
    assert "train.batch=10" in done.stderr
    assert "Traceback" not in done.stderr
