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
    from impasto.workflows.comparing import compare
    from impasto.workflows.evaluating import evaluate
    from impasto.workflows.examination import doctor
    from impasto.workflows.inspecting import inspect
    from impasto.workflows.pictures import prepare
    from impasto.workflows.reporting import report
    from impasto.workflows.results import load, sample
    from impasto.workflows.training import Training, resume, train

__all__ = [
    "RECIPES",
    "BadInput",
    "ImpastoError",
    "RunConfig",
    "Training",
    "__version__",
    "compare",
    "doctor",
    "evaluate",
    "inspect",
    "load",
    "prepare",
    "report",
    "resume",
    "review",
    "sample",
    "train",
]

# Where public names live. They are imported when first used, so that `impasto --help` needs no torch.
_HOMES = {
    "RECIPES": "impasto.recipes",
    "BadInput": "impasto.errors",
    "ImpastoError": "impasto.errors",
    "RunConfig": "impasto.runs.config",
    "Training": "impasto.workflows.training",
    "compare": "impasto.workflows.comparing",
    "doctor": "impasto.workflows.examination",
    "evaluate": "impasto.workflows.evaluating",
    "inspect": "impasto.workflows.inspecting",
    "load": "impasto.workflows.results",
    "prepare": "impasto.workflows.pictures",
    "report": "impasto.workflows.reporting",
    "resume": "impasto.workflows.training",
    "review": "impasto.studio.reviewing",
    "sample": "impasto.workflows.results",
    "train": "impasto.workflows.training",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
