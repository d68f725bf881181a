"""impasto: from a folder of pictures to a generator you can trust.

import impasto

for event in impasto.train("cats/", minutes=30):
    print(event)
pictures = impasto.load("runs/cats96-001").sample(16, seed=1)
"""

import importlib
from typing import TYPE_CHECKING

from impasto.version import __version__

if TYPE_CHECKING:
    from impasto.errors import BadInput, ImpastoError
    from impasto.recipes import RECIPES
    from impasto.runs.config import RunConfig
    from impasto.studio.reviewing import review
    from impasto.workflows.coding import decode, encode
    from impasto.workflows.comparing import compare
    from impasto.workflows.compressing import compress, decompress
    from impasto.workflows.editing import edit
    from impasto.workflows.evaluating import evaluate
    from impasto.workflows.examination import doctor
    from impasto.workflows.inspecting import inspect
    from impasto.workflows.mapping import map_pictures
    from impasto.workflows.oddities import anomalies, learn_normals
    from impasto.workflows.pictures import prepare
    from impasto.workflows.repainting import repaint
    from impasto.workflows.reporting import report
    from impasto.workflows.results import load, sample
    from impasto.workflows.searching import index, search
    from impasto.workflows.stylizing import Painting, resume_painting, stylize
    from impasto.workflows.teaching import train_style
    from impasto.workflows.training import Training, resume, train
    from impasto.workflows.walking import interpolate, invert

__all__ = [
    "RECIPES",
    "BadInput",
    "ImpastoError",
    "Painting",
    "RunConfig",
    "Training",
    "__version__",
    "anomalies",
    "compare",
    "compress",
    "decode",
    "decompress",
    "doctor",
    "edit",
    "encode",
    "evaluate",
    "index",
    "inspect",
    "interpolate",
    "invert",
    "learn_normals",
    "load",
    "map_pictures",
    "prepare",
    "repaint",
    "report",
    "resume",
    "resume_painting",
    "review",
    "sample",
    "search",
    "stylize",
    "train",
    "train_style",
]

# Where public names live. They are imported when first used, so that `impasto --help` needs no torch.
_HOMES = {
    "RECIPES": "impasto.recipes",
    "BadInput": "impasto.errors",
    "ImpastoError": "impasto.errors",
    "Painting": "impasto.workflows.stylizing",
    "RunConfig": "impasto.runs.config",
    "Training": "impasto.workflows.training",
    "anomalies": "impasto.workflows.oddities",
    "compare": "impasto.workflows.comparing",
    "compress": "impasto.workflows.compressing",
    "decode": "impasto.workflows.coding",
    "decompress": "impasto.workflows.compressing",
    "doctor": "impasto.workflows.examination",
    "edit": "impasto.workflows.editing",
    "encode": "impasto.workflows.coding",
    "evaluate": "impasto.workflows.evaluating",
    "index": "impasto.workflows.searching",
    "inspect": "impasto.workflows.inspecting",
    "interpolate": "impasto.workflows.walking",
    "invert": "impasto.workflows.walking",
    "learn_normals": "impasto.workflows.oddities",
    "load": "impasto.workflows.results",
    "map_pictures": "impasto.workflows.mapping",
    "prepare": "impasto.workflows.pictures",
    "repaint": "impasto.workflows.repainting",
    "report": "impasto.workflows.reporting",
    "resume": "impasto.workflows.training",
    "resume_painting": "impasto.workflows.stylizing",
    "review": "impasto.studio.reviewing",
    "sample": "impasto.workflows.results",
    "search": "impasto.workflows.searching",
    "stylize": "impasto.workflows.stylizing",
    "train": "impasto.workflows.training",
    "train_style": "impasto.workflows.teaching",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
