"""Preparation, in pictures a second on one core, against plain Pillow: open, convert, resize.

On JPEGs made here: 500x400 of Pillow's own quality and of a high one, whose many bytes take most of the time on
both sides, and 1600x1200, as those of cameras are when they are small. Plain Pillow crops the centred square and
resizes in full with the same Lanczos filter; the mean error is the distance from its result, in levels of 256.
Beside decoding stands all that `prepare` does with a picture: checksum, measures and the look by which near
duplicates are found, which plain Pillow leaves away. Also the whole of `prepare`, files and cache included, by
one worker and by all cores.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from measure import quick, report, take_turns
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.decode import decode
from impasto.data.engine.work import work_one
from impasto.data.prepare import prepare

SMALL, LARGE = (500, 400), (1_600, 1_200)


def photograph(seed: int, width: int, height: int) -> Image.Image:
    """Noise with the spectrum of natural pictures: amplitude falls as one over the frequency."""
    noise = np.random.default_rng(seed).standard_normal((3, height, width))
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = 1 / np.maximum(np.hypot(fy, fx), 1 / width)
    planes = np.fft.irfft2(np.fft.rfft2(noise) * fall, (height, width))
    planes = 0.6 * planes[:1] + 0.4 * planes  # the colours of a place are alike
    levels = 128 + 48 * (planes - planes.mean()) / planes.std()
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


def plain(file: Path, size: int) -> np.ndarray:
    """What everybody writes."""
    image = Image.open(file).convert("RGB")
    side, (wide, high) = min(image.size), image.size
    left, top = (wide - side) / 2, (high - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box))


def seconds_each(work: Callable[[], object], count: int) -> Callable[[], float]:
    """Seconds for one picture."""

    def run() -> float:
        started = time.perf_counter()
        work()
        return (time.perf_counter() - started) / count

    return run


def main() -> None:
    few = quick()
    count, rounds = (20, 1) if few else (200, 9)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)  # as in the workers of `prepare`
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as place:
        for sides, quality, size in (
            (SMALL, 75, 64),
            (SMALL, 90, 64),
            (SMALL, 75, 128),
            (LARGE, 85, 128),
        ):
            folder = Path(place) / f"{sides[0]}-{quality}"
            files = photographs(folder, count if sides == SMALL else count // 5, quality, sides)
            name = f"{sides[0]}x{sides[1]}, quality {quality}, to {size}x{size}"
            figures[name] = compared(files, size, rounds)
        for sides, quality, size in ((SMALL, 75, 64), (LARGE, 85, 128)):
            name = f"prepare, {sides[0]}x{sides[1]}, to {size}x{size}, end to end"
            folder = Path(place) / f"{sides[0]}-{quality}"
            figures[name] = whole(folder, Path(place), size, min(rounds, 3))
    figures["bar"] = {"times_as_fast": 1.8, "mean_error_in_levels": 1.0}
    report("prepare-cpu", figures, keep=not few)


def photographs(
    folder: Path, count: int, quality: int, sides: tuple[int, int] = SMALL
) -> list[Path]:
    """Files of JPEGs, made where they are not there yet."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"{index:04d}.jpg" for index in range(count)]
    for index, file in enumerate(files):
        if not file.exists():
            photograph(index, *sides).save(file, quality=quality)
    return files


def compared(files: list[Path], size: int, rounds: int) -> dict[str, object]:
    """Theirs, and ours: decoding alone, and with all that is found out about a picture."""
    config = DataConfig(size=size)

    def ours() -> list[np.ndarray]:
        return [decode(file, config=config) for file in files]

    def judged() -> list[object]:
        return [work_one(file, config) for file in files]

    def theirs() -> list[np.ndarray]:
        return [plain(file, size) for file in files]

    count = len(files)
    seconds = take_turns(
        {
            "impasto": seconds_each(ours, count),
            "impasto, judged": seconds_each(judged, count),
            "plain": seconds_each(theirs, count),
        },
        rounds,
    )
    error = np.mean(np.abs(np.stack(ours()).astype(float) - np.stack(theirs())))
    return {
        "kilobytes_a_file": round(sum(file.stat().st_size for file in files) / count / 1e3),
        "pictures_per_second": {n: round(1 / value) for n, value in seconds.items()},
        "times_as_fast": round(seconds["plain"] / seconds["impasto"], 2),
        "times_as_fast_judged": round(seconds["plain"] / seconds["impasto, judged"], 2),
        "mean_error_in_levels": round(float(error), 3),
    }


def whole(folder: Path, place: Path, size: int, rounds: int) -> dict[str, object]:
    """Ten copies of a folder, by `prepare` into a fresh folder each time, and by plain Pillow in as many processes.

    Plain Pillow's processes are forked, and its pixels go to one array and are forgotten.
    """
    many = place / f"many-{size}"
    for copy in range(10):
        shutil.copytree(folder, many / str(copy))
    count = len(list(many.rglob("*.jpg")))
    made = iter(range(1_000))

    def by(workers: int) -> Callable[[], object]:
        return lambda: prepare(
            many, DataConfig(size=size), place / f"set-{size}-{next(made)}", workers=workers
        )

    def plain_by(processes: int) -> Callable[[], object]:
        def work() -> np.ndarray:
            with get_context("fork").Pool(processes) as pool:
                return np.stack(pool.map(partial(plain, size=size), files, chunksize=64))

        return work

    files = sorted(many.rglob("*.jpg"))
    crews = sorted({1, os.cpu_count() or 1})
    ours = {f"{n} workers": seconds_each(by(n), count) for n in crews}
    theirs = {f"{n} plain processes": seconds_each(plain_by(n), count) for n in crews}
    seconds = take_turns({**ours, **theirs}, rounds)
    return {
        "pictures_per_second": {name: round(1 / value) for name, value in seconds.items()},
        "times_as_fast_by_as_many": {
            n: round(seconds[f"{n} plain processes"] / seconds[f"{n} workers"], 2) for n in crews
        },
    }


if __name__ == "__main__":
    main()
