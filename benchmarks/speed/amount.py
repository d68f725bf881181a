"""Preparation of more and more pictures: seconds, and memory of all its processes, at 1k, 10k and 100k.

The pictures are 500x400 JPEGs made here; a few hundred different ones stand under many names, so that the disk
holds them. `impasto prepare` runs as a process of its own, and the anonymous memory of it and of its workers
(what is mapped from files can be given back at any time) is read from /proc five times a second; the largest
sum counts. Time is fitted as start + pictures / rate, and carried on to 100 million: honest for the decoding,
which goes picture by picture; the last passes over the arrays are in the fit as far as they show at 100k.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import quick, report
from prepare import photographs

DIFFERENT = 200


def main() -> None:
    few = quick()
    counts = (200, 400) if few else (1_000, 10_000, 100_000)
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as place:
        originals = photographs(Path(place) / "originals", 20 if few else DIFFERENT, 75)
        taken = {count: measured(originals, count, Path(place)) for count in counts}
    for count, (seconds, megabytes) in taken.items():
        figures[f"{count:,} pictures"] = {
            "seconds": round(seconds, 1),
            "pictures_per_second": round(count / seconds, 1),
            "megabytes": round(megabytes),
        }
    rate, start = np.polyfit(list(taken), [seconds for seconds, _ in taken.values()], 1)
    figures["fitted"] = {
        "start_seconds": round(float(start), 2),
        "pictures_per_second": round(1 / float(rate), 1),
        "hours_for_100_million_on_this_machine": round(float(rate) * 1e8 / 3600, 1),
        "hours_on_64_cores_if_the_disk_keeps_up": round(
            float(rate) * 1e8 / 3600 * (os.cpu_count() or 1) / 64, 1
        ),
        "gigabytes_of_pixels_at_64x64": round(1e8 * 64 * 64 * 3 / 1e9),
    }
    report("amount-cpu", figures, keep=not few)


def measured(originals: list[Path], count: int, place: Path) -> tuple[float, float]:
    """Seconds and megabytes for so many pictures."""
    folder = place / f"pictures-{count}"
    for number in range(count):
        home = folder / f"{number // 1000:04d}"
        if number % 1000 == 0:
            home.mkdir(parents=True)
        os.link(originals[number % len(originals)], home / f"{number:09d}.jpg")
    target = place / f"set-{count}"
    # The rules on copies would find nothing but copies here.
    rules = ["--rules", "duplicate=off", "near_duplicate=off"]
    command = [sys.executable, "-m", "impasto", "prepare", str(folder), "--to", str(target), *rules]
    started, largest = time.perf_counter(), 0.0
    with subprocess.Popen([*command, "--json"], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            largest = max(largest, memory(process.pid))
            time.sleep(0.2)
    if process.returncode:
        raise SystemExit("impasto prepare failed")
    return time.perf_counter() - started, largest / 1e6


def memory(root: int) -> float:
    """Bytes of anonymous memory of a process and of all that it started."""
    total = 0.0
    for pid in [root, *children(root)]:
        try:
            facts = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        except OSError:  # it has just ended
            continue
        total += sum(int(line.split()[1]) * 1024 for line in facts if line.startswith("RssAnon"))
    return total


def children(pid: int) -> list[int]:
    """The processes that one has started, and those that they have started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        own = [int(child) for task in tasks for child in task.read_text(encoding="utf-8").split()]
    except OSError:
        return []
    return [*own, *(grandchild for child in own for grandchild in children(child))]


if __name__ == "__main__":
    main()
