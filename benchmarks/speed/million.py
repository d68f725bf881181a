"""A prepared set of a million pictures: how long it takes to open, and how much memory, in a process of its own.

The set is written empty (its 12 GB of pixels are a hole in the file), since nothing here depends on what is
in the pictures.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import quick, report

from impasto.config import to_plain
from impasto.data import layout
from impasto.data.config import DataConfig

OPENING = """
import resource, sys, time
import numpy as np
import impasto.data.feed
from impasto.data.prepared import Prepared
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, started = peak(), time.perf_counter()
prepared = Prepared.open(sys.argv[1])
opened, after = time.perf_counter() - started, peak()
started = time.perf_counter()
sides = prepared.split(0, 0.1)
split, after_split = time.perf_counter() - started, peak()
started = time.perf_counter()
batch = impasto.data.feed.Feed(prepared, sides[0], batch=64, seed=0, flip=True).at(0)
print(opened, after - before, split, after_split - before, time.perf_counter() - started, peak() - before)
"""


def main() -> None:
    few = quick()
    count = 10_000 if few else 1_000_000
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "set"
        home.mkdir()
        write_empty(home, count)
        ran = subprocess.run(
            [sys.executable, "-c", OPENING, str(home)], check=True, capture_output=True, text=True
        )
    told = [round(float(word), 4) for word in ran.stdout.split()]
    names = ("open", "split into two sides", "first batch of 64")
    figures = {
        "pictures": count,
        "side": 64,
        "seconds": dict(zip(names, told[::2], strict=True)),
        "more_memory_so_far_in_mib": dict(zip(names, told[1::2], strict=True)),
        "bar": {"seconds to open": 1.0},
    }
    report("million-cpu", figures, keep=not few)


def write_empty(home: Path, count: int) -> None:
    """A complete set in its form, whose pixels take no room on disk."""
    import os

    import numpy as np

    config, shape = DataConfig(size=64), layout.Shape(64, 3, 1)
    arrays = {"pixels.npy": (np.dtype(np.uint8), shape.picture), **shape.arrays()}
    for name, (kind, size) in arrays.items():
        with (home / name).open("wb") as file:
            header = {"descr": kind.str, "fortran_order": False, "shape": (count, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            whole = count * int(np.prod(size, dtype=int)) * kind.itemsize
            os.truncate(file.fileno(), file.tell() + whole)
    keys = np.load(home / "keys.npy", mmap_mode="r+")
    keys[:] = np.random.default_rng(0).integers(0, 2**63, count, dtype=np.uint64)
    keys.flush()
    facts = {
        "format": layout.FORMAT,
        "config": to_plain(config),
        "source": "nothing",
        "credit": None,
        "fingerprint": "0" * 64,
        "label_names": {"class": ["all"]},
        "side": 64,
        "found": count,
        "slots": count,
        "starts": [0],
        "number_names": [],
        "notices": [],
        "kept": count,
        "rejected": 0,
    }
    (home / layout.FACTS).write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
