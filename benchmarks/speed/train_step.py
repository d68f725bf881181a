"""A DCGAN training step, data included, against the usual plain loop.

64x64 pixels, 64 channels, batch 64, on cat faces. The plain loop is what most repositories hold: JPEG
files decoded in DataLoader workers, contiguous tensors, Adam as it comes, five `.item()` a step, and a
generator's backward pass that fills the discriminator's gradients too. Ours is the real loop, with its
average, gradient norms and guard against NaN. Between them stand the plain loop with one improvement each.
"""

import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from measure import SHARED, quick, report, take_turns
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.families.dcgan import DCGAN, DCGANConfig
from impasto.runs.config import RunConfig, TrainConfig
from impasto.runs.devices import launch
from impasto.runs.sitting import Sitting
from impasto.types import Budget, ImageShape

BATCH, SIZE = 64, 64
FAMILY = DCGANConfig(width=64)


@dataclass(frozen=True)
class Improved:
    """What a plain loop does better than usual."""

    channels_last: bool = False
    fused: bool = False  # Adam in one kernel
    one_player: bool = False  # gradients for the player that steps, and no other
    in_memory: bool = False  # no decoding
    silent: bool = False  # no `.item()`


class Folder(Dataset[Tensor]):
    """Pictures decoded whenever they are asked for."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        image = Image.open(self.files[index]).convert("RGB").resize((SIZE, SIZE))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(127.5).sub(1)


def endless(files: list[Path]) -> Iterator[Tensor]:
    """Batches from DataLoader workers."""
    loader = DataLoader(
        Folder(files), BATCH, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True
    )
    while True:
        yield from loader


def plain(files: list[Path], improved: Improved) -> Iterator[None]:
    """The usual loop; each `next` is a step."""
    layout = torch.channels_last if improved.channels_last else torch.contiguous_format
    networks = DCGAN.networks(FAMILY, ImageShape(3, SIZE))
    g, d = (networks[name].to(memory_format=layout) for name in ("generator", "discriminator"))  # type: ignore[call-overload]
    fused = True if improved.fused else None
    g_adam = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999), fused=fused)
    d_adam = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999), fused=fused)
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    if improved.in_memory:
        memory = torch.stack([Folder(files)[i] for i in range(512)])
    batches = None if improved.in_memory else endless(files)
    while True:
        real = memory[torch.randint(512, (BATCH,))] if batches is None else next(batches)
        real = real.to(memory_format=layout)
        d.zero_grad()
        fake = g(torch.randn(BATCH, FAMILY.latents))
        said_real, said_fake = d(real), d(fake.detach())
        d_loss = criterion(said_real, ones) + criterion(said_fake, zeros)
        d_loss.backward()
        d_adam.step()
        g.zero_grad()
        if improved.one_player:
            d.requires_grad_(requires_grad=False)
        said_after = d(fake)
        g_loss = criterion(said_after, ones)
        g_loss.backward()
        d.requires_grad_(requires_grad=True)
        g_adam.step()
        if not improved.silent:
            for number in (d_loss, g_loss, said_real.mean(), said_fake.mean(), said_after.mean()):
                number.item()
        yield


def ours(source: Path, cache: Path) -> Iterator[None]:
    """The real loop, without a directory to write to."""
    data = DataConfig(size=SIZE)
    train = TrainConfig(batch=BATCH, device="cpu", budget=Budget(1_000_000, "steps"))
    config = RunConfig(name="bench", description="", data=data, family=replace(FAMILY), train=train)
    sitting = Sitting(config, prepare(source, data, cache), launch(train), None, None)
    for raw in sitting.batches():
        sitting.step(raw)
        yield


def timed(loop: Iterator[None], steps: int) -> Callable[[], float]:
    """Seconds for one step, over so many."""

    def run() -> float:
        next(loop)  # another candidate had the caches
        started = time.perf_counter()
        for _ in range(steps):
            next(loop)
        return (time.perf_counter() - started) / steps

    return run


def main() -> None:
    few = quick()
    source = SHARED / "data" / "cat-faces-64.zip"
    improvements = {
        "plain, in memory": Improved(in_memory=True),
        "plain, channels_last": Improved(channels_last=True),
        "plain, fused Adam": Improved(fused=True),
        "plain, one player's gradients": Improved(one_player=True),
        "plain, no .item()": Improved(silent=True),
    }
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(place)
        files = sorted(Path(place).rglob("*.jpg"))
        loops = {
            "impasto": ours(source, Path(place) / "set"),
            "plain": plain(files, Improved()),
            **{name: plain(files, improved) for name, improved in improvements.items()},
        }
        steps = 2 if few else 6
        seconds = take_turns({n: timed(loop, steps) for n, loop in loops.items()}, 1 if few else 7)
    ratios = {name: seconds["plain"] / value for name, value in seconds.items()}
    report(
        "train-step-cpu",
        {
            "what": "DCGAN 64x64, 64 channels, batch 64, cat faces: medians of interleaved blocks of steps",
            "threads": torch.get_num_threads(),
            "seconds_per_step": {name: round(value, 4) for name, value in seconds.items()},
            "times_as_fast_as_plain": {name: round(value, 3) for name, value in ratios.items()},
            "bar": {"impasto": 1.15},
        },
        keep=not few,
    )


if __name__ == "__main__":
    main()
