"""Thousands of files that a folder of pictures must survive, made anew from a seed.

`make_corpus` fills a folder and says of each file what must become of it; `make_archives` does the
same with zip and tar archives. The files are small, and the same for the same seed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hostile.archives import Packed, make_archives
from hostile.bombs import bombs
from hostile.damage import damaged, lying_headers, whole
from hostile.expectation import KEPT, Expectation, Sample
from hostile.pictures import odd_pictures
from hostile.places import folders, links, names, special
from hostile.strange import strange

__all__ = [
    "KEPT",
    "Expectation",
    "Packed",
    "Sample",
    "make_archives",
    "make_corpus",
    "samples",
    "whole",
]

_GROUPS = {
    "odd": odd_pictures,
    "damaged": damaged,
    "headers": lying_headers,
    "bombs": bombs,
    "strange": strange,
}


def samples(seed: int, *groups: str) -> Iterator[tuple[str, Sample]]:
    """The contents of files, each with its group; of some groups, or of all."""
    for place, (group, make) in enumerate(_GROUPS.items()):
        if not groups or group in groups:
            for sample in make(np.random.default_rng([seed, place])):
                yield group, sample


def make_corpus(root: Path, seed: int) -> dict[str, Expectation]:
    """Fills a new folder, and returns what must become of each file, by its name with `/`.

    Args:
        root: the folder; links in it lead to a folder beside it, called `outside`.
        seed: the same seed makes the same files.
    """
    root.mkdir(parents=True)
    corpus: dict[str, Expectation] = {}
    for group, sample in samples(seed):
        (root / group).mkdir(exist_ok=True)
        (root / group / sample.name).write_bytes(sample.data)
        corpus[f"{group}/{sample.name}"] = Expectation(group, sample.ends)
    rng = np.random.default_rng([seed, len(_GROUPS)])
    corpus |= dict(names(root, rng))
    corpus |= dict(folders(root, rng))
    corpus |= dict(links(root, root.parent / "outside", rng))
    corpus |= dict(special(root, rng))
    return corpus
