"""impasto: from a folder of pictures to a generator you can trust.

    import impasto

    for event in impasto.train("cats/", minutes=30):
        print(event)
    pictures = impasto.load("runs/cats96-001").sample(16, seed=1)
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

# Public names, imported when first used, so that `impasto --help` needs no torch.
_HOMES = {
    "inspect": "impasto.workflows.pictures",
    "prepare": "impasto.workflows.pictures",
    "train": "impasto.workflows.training",
    "resume": "impasto.workflows.training",
    "Training": "impasto.workflows.training",
    "load": "impasto.workflows.results",
    "sample": "impasto.workflows.results",
    "report": "impasto.workflows.reporting",
    "RECIPES": "impasto.recipes",
    "RunConfig": "impasto.runs.config",
    "ImpastoError": "impasto.errors",
    "BadInput": "impasto.errors",
}
__all__ = [*_HOMES]

if TYPE_CHECKING:
    from impasto.errors import BadInput, ImpastoError
    from impasto.recipes import RECIPES
    from impasto.runs.config import RunConfig
    from impasto.workflows.pictures import inspect, prepare
    from impasto.workflows.reporting import report
    from impasto.workflows.results import load, sample
    from impasto.workflows.training import Training, resume, train


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
