"""Near duplicates: how long it takes to thin out 10 thousand, 100 thousand and a million pictures by their looks.

The looks are made up, in two ways: `fair`, where each bit is a coin, and `alike`, where the bits follow from
twenty hidden numbers, so that they hang together and some are rarely set, as those of real pictures do. One in
ten is a copy of another with up to 16 of its 144 bits changed, and all of these must be found.
"""

import resource
import time

import numpy as np
from measure import quick, report

from impasto.data.looks.likeness import HASH_BYTES, NEAR, thin

BITS = 8 * HASH_BYTES
HIDDEN = 20
BLOCK = 1 << 16


def main() -> None:
    few = quick()
    figures: dict[str, object] = {}
    for count in (2_000, 5_000) if few else (10_000, 100_000, 1_000_000):
        for kind in ("fair", "alike"):
            hashes, copies = made_up(count, alike=kind == "alike")
            started = time.perf_counter()
            left_out = thin(hashes, np.arange(count))
            seconds = time.perf_counter() - started
            found = np.isin(copies, left_out[:, 0]).mean()
            figures[f"{count:,} {kind}"] = {
                "seconds": round(seconds, 2),
                "left_out": len(left_out),
                "of_the_copies": float(found),
                "megabytes_so_far": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            print(f"{count:,} {kind}: {figures[f'{count:,} {kind}']}", flush=True)
    report("likeness-cpu", figures, keep=not few)


def made_up(count: int, *, alike: bool) -> tuple[np.ndarray, np.ndarray]:
    """Hashes, and which of them are copies of earlier ones, a little changed."""
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((HIDDEN, BITS)).astype(np.float32)
    usual = 0.4 * rng.standard_normal(BITS).astype(np.float32) * HIDDEN**0.5
    parts = []
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        if alike:
            hidden = rng.standard_normal((size, HIDDEN)).astype(np.float32)
            own = rng.standard_normal((size, BITS)).astype(np.float32) * HIDDEN**0.5
            bits = hidden @ mixed + own + usual > 0
        else:
            bits = rng.random((size, BITS), np.float32) < 0.5
        parts.append(np.packbits(bits, axis=1))
    hashes = np.concatenate(parts)
    copies = np.arange(count - count // 10, count)
    changed = np.zeros((len(copies), BITS), bool)
    for row, bits in zip(changed, rng.integers(0, BITS, (len(copies), NEAR)), strict=True):
        row[bits] = True
    originals = rng.integers(0, count - len(copies), len(copies))
    hashes[copies] = hashes[originals] ^ np.packbits(changed, axis=1)
    return hashes, copies


if __name__ == "__main__":
    main()
