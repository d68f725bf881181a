"""Extractors: pictures in, features out.

Whoever compares pictures by what they show compares features: curation looks for pictures that are unlike
the others, scores for sets that are unlike one another. All of them speak to one protocol, `Extractor`.
A new one is its own file, and a line in `EXTRACTORS` below.
"""

from pathlib import Path
from typing import Any

import torch

from impasto.errors import ConfigError, nearest
from impasto.evaluation.extractors.base import Classifier, Extractor, Features, Images, Logits
from impasto.evaluation.extractors.inception import InceptionFeatures
from impasto.evaluation.extractors.mobilenet import MobileNetFeatures
from impasto.evaluation.extractors.onnx import OnnxFeatures
from impasto.evaluation.extractors.random import RandomFeatures

EXTRACTORS: dict[str, type[Extractor]] = {
    "inception-v3": InceptionFeatures,
    "mobilenet-v2": MobileNetFeatures,
    "random": RandomFeatures,
}


def find_extractor(
    name_or_file: str,
    *,
    device: torch.device | str = "cpu",
    side: int | None = None,
    batch: int | None = None,
) -> Extractor:
    """The extractor of a name in `EXTRACTORS`, or that of a network in an .onnx file.

    Args:
        name_or_file: what ends in .onnx is a file.
        device: where the network runs.
        side: of the square that the network sees, in pixels; its own default where it is left out.
        batch: pictures that go through the network at once; likewise.

    Raises:
        ConfigError: there is no such extractor, or it does not take this side or batch.
        ModelError: the file is no network from pictures to features.
        WeightsError: the weights are not on this machine; the message says how to get them.
        DamagedFile: the file of weights is not the published one.
    """
    given = {"side": side, "batch": batch}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if name_or_file.lower().endswith(".onnx"):
        return OnnxFeatures(Path(name_or_file).expanduser(), device=device, **settings)
    if name_or_file not in EXTRACTORS:
        raise ConfigError(
            f"{name_or_file}: no such extractor; {nearest(name_or_file, EXTRACTORS)}, "
            "or the .onnx file of a network"
        )
    made: Any = EXTRACTORS[name_or_file]  # the protocol says nothing of how extractors are made
    extractor: Extractor = made(device=device, **settings)
    return extractor


__all__ = [
    "EXTRACTORS",
    "Classifier",
    "Extractor",
    "Features",
    "Images",
    "InceptionFeatures",
    "Logits",
    "MobileNetFeatures",
    "OnnxFeatures",
    "RandomFeatures",
    "find_extractor",
]
