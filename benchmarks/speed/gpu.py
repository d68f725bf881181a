"""On an accelerator: pictures a second and memory by precision, and that no step waits for the device.

A DCGAN at 64x64 on the built-in kittens, through the real loop. The last check runs steps with CUDA told to
raise an error on any synchronisation.
"""

import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from measure import quick, report

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.families.dcgan import DCGANConfig
from impasto.runs.config import RunConfig, TrainConfig
from impasto.runs.devices import launch
from impasto.runs.sitting import Sitting
from impasto.types import Budget


def measured(place: Path, train: dict[str, Any], batch: int, steps: int) -> dict[str, float]:
    """Pictures a second and peak memory in MiB."""
    data = DataConfig(size=64)
    config = RunConfig(
        name="bench",
        description="",
        data=data,
        family=DCGANConfig(width=64),
        train=TrainConfig(batch=batch, device="cuda", budget=Budget(1_000_000, "steps"), **train),
    )
    prepared = prepare("kittens:4000", data, place / "set")
    sitting = Sitting(config, prepared, launch(config.train), None, None)
    batches = sitting.batches()
    for _ in range(10):
        sitting.step(next(batches))
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    torch.cuda.set_sync_debug_mode("error")
    for _ in range(steps):
        sitting.step(next(batches))
    torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    batches.close()  # type: ignore[attr-defined]
    return {
        "images_per_second": round(batch * steps / seconds),
        "peak_memory_mib": round(torch.cuda.max_memory_allocated() / 2**20),
    }


def main() -> None:
    few = quick()
    if not torch.cuda.is_available():
        sys.exit("gpu.py: no CUDA device here")
    steps = 20 if few else 300
    figures: dict[str, Any] = {"device": torch.cuda.get_device_name()}
    with tempfile.TemporaryDirectory() as place:
        for batch in (64, 512):
            for precision in ("32", "bf16"):
                for deterministic in (True, False):
                    name = f"batch {batch}, {precision}, {'deterministic' if deterministic else 'free'}"
                    train = {"precision": precision, "deterministic": deterministic}
                    figures[name] = measured(Path(place), train, batch, steps)
                    gc.collect()
                    torch.cuda.empty_cache()
    report("gpu", figures, keep=not few)


if __name__ == "__main__":
    main()
