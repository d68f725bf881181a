"""A step of painting: the published loop as people run it, the same without its waste, and the default's.

The published loop asks the whole network for the features of content and style again at every step, and lets
gradients flow into its weights and through all three looks. `gatys` is the recipe, which does the same mathematics;
`pyramid` a step of the default at its last size. Told are seconds and operations of a step (a multiply-add being two),
and then, each in a process of its own, the most memory that a painting of each size takes beside what was
estimated for it.

    python benchmarks/speed/stylize.py [--quick] [--largest PIXELS]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measure import SHARED, report, take_turns

from impasto.losses.style import published_content, published_gram, published_style
from impasto.nn.vgg import convolutions, multiply_adds
from impasto.recipes import PAINTINGS
from impasto.style.config import PublishedConfig, PyramidConfig
from impasto.style.loss_network import KINDS, LossNetwork, network_name
from impasto.style.painter import layers
from impasto.style.published import PublishedLoop
from impasto.style.pyramid import Pyramid
from impasto.style.scene import Part, Scene, Style, resized
from impasto.workflows.staging import opened
from impasto.workflows.stylizing import seeing

os.environ.setdefault("IMPASTO_WEIGHTS", str(SHARED / "weights"))
CONTENT, PAINTING = (
    SHARED / "data/style" / name for name in ("content_tubingen.jpg", "starry_night.jpg")
)
SIZES = {"published": 400, "gatys": 400, "pyramid": 400, "pyramid at 512": 512}
# Sizes, and the memory that they may take; none for as much as there is.
PAINTED = (
    *((size, None) for size in (256, 512, 1024, 2048)),
    (2048, "4GB"),
    (4096, "8GB"),
    (4096, "4GB"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    parser.add_argument("--largest", type=int, default=4096, help="painting whose memory is taken")
    asked = parser.parse_args()
    fast = asked.quick
    painted = [row for row in PAINTED[: 1 if fast else None] if row[0] <= asked.largest]
    name = network_name("auto")
    steps = {
        "published": _published(name, SIZES["published"]),
        "gatys": _gatys(name, SIZES["gatys"]),
        "pyramid": _pyramid(name, SIZES["pyramid"]),
        "pyramid at 512": _pyramid(name, SIZES["pyramid at 512"]),
    }
    seconds = take_turns({n: _timed(step) for n, (step, _) in steps.items()}, 1 if fast else 7)
    told = {
        n: {
            "size": SIZES[n],
            "seconds": seconds[n],
            "gigaflops_a_step": flops / 1e9,
            "gigaflops_a_second": flops / 1e9 / seconds[n],
        }
        for n, (_, flops) in steps.items()
    }
    figures = {
        "network": name,
        "threads": torch.get_num_threads(),
        "steps": told,
        "published over gatys": {
            "seconds": seconds["published"] / seconds["gatys"],
            "operations": steps["published"][1] / steps["gatys"][1],
        },
        "memory": [_memory(size, memory) for size, memory in painted],
    }
    report("stylize-cpu", figures, keep=not fast)


def _timed(step: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        step()
        return time.perf_counter() - started

    return run


def _pictures(size: int, *, alike: bool) -> tuple[torch.Tensor, torch.Tensor]:
    content, style = opened(CONTENT), opened(PAINTING)
    share = size / max(content.shape[2:])
    height, width = (round(side * share) for side in content.shape[2:])
    return resized(content, height, width), resized(style, height, width) if alike else style


def _published(name: str, size: int) -> tuple[Callable[[], object], float]:
    """The loop of 2016 as most repositories hold it."""
    depth = KINDS[name].depth
    numbers = tuple(convolutions(depth))
    network = LossNetwork.published(name, numbers)
    network.requires_grad_(requires_grad=True)
    content, style = _pictures(size, alike=True)
    wanted = network.kind.published
    target = content.clone().requires_grad_()
    optimizer = torch.optim.Adam([target], 0.003, (0.5, 0.999))

    def step() -> None:
        seen, shown, painted = (network(each, numbers) for each in (target, content, style))
        loss = torch.zeros(())
        for n in wanted:
            loss = loss + published_content(seen[n], shown[n])
            loss = loss + 100 * published_style(seen[n], published_gram(painted[n]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    whole, cut = (multiply_adds(depth, n, *content.shape[2:]) for n in (numbers[-1], wanted[-1]))
    return step, 2.0 * (3 * whole + 6 * cut)


def _gatys(name: str, size: int) -> tuple[Callable[[], object], float]:
    config = PAINTINGS["gatys"]
    assert isinstance(config.painter, PublishedConfig)
    network = LossNetwork.published(name, layers(config, name))
    loop = PublishedLoop(network, *_pictures(size, alike=True), config.painter)
    return loop.step, loop.flops() / loop.steps


def _pyramid(name: str, size: int) -> tuple[Callable[[], object], float]:
    config = PAINTINGS["pyramid"]
    assert isinstance(config.painter, PyramidConfig)
    network = LossNetwork.published(name, layers(config, name), **seeing(config))
    content, style = _pictures(size, alike=False)
    alone = PyramidConfig(least_size=size, steps=1_000)
    painter = Pyramid(network, Scene(content, [Part([Style(style)])]), alone)
    return painter.step, painter.flops() / painter.steps


def _memory(size: int, memory: str | None) -> dict[str, Any]:
    """The most that a painting takes, after two steps at its last size."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["stylize", CONTENT, PAINTING, "--size", size, "--steps", 2, "--json"]
        words += ["--to", Path(folder) / "painting.png", *(["--memory", memory] if memory else [])]
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "impasto", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    told = json.loads(done.stdout)
    row = {
        "size": told["size"],
        "allowed": memory,
        "tile": told["tile"],
        "peak_memory_bytes": told["peak_memory_bytes"],
        "estimated_memory_bytes": told["estimated_memory_bytes"],
        "seconds": round(seconds, 1),
    }
    print(f"  {row}", flush=True)
    return row


if __name__ == "__main__":
    main()
