"""Everything that impasto raises on purpose.

    ImpastoError
    ├── BadInput            what was asked for cannot be done as asked; the message says what to do instead
    │   ├── ConfigError     a recipe, a field or a value
    │   ├── SourceError     a folder, an archive, a set of pictures
    │   ├── RunError        a run's directory or its state
    │   ├── ModelError      a model's file
    │   ├── WeightsError    weights that others have published are not here, or cannot be fetched
    │   └── DamagedFile     weights or state that are not as they were written
    └── TrainingError       training itself could not go on; what was saved before is intact
        ├── Diverged        losses or weights stopped being numbers
        ├── OutOfMemory     the device is too small for the batch
        └── NotSaved        the disk is full, or cannot be written

A message is one sentence that names the file or field and the value, and ends with the way out. The
command line prints it alone, without a traceback, and exits with `exit_code`.
"""

import difflib
from collections.abc import Iterable


class ImpastoError(Exception):
    """Anything that impasto raises on purpose."""

    exit_code = 1


class BadInput(ImpastoError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class ConfigError(BadInput):
    """A recipe, a field or a value is not what it should be."""


class SourceError(BadInput):
    """A source of pictures cannot be used."""


class RunError(BadInput):
    """A run's directory or its state cannot be used."""


class ModelError(BadInput):
    """A model's file cannot be used."""


class WeightsError(BadInput):
    """Weights that others have published are not here, or cannot be fetched."""


class DamagedFile(BadInput):
    """A file of weights or state is not as it was written."""


class TrainingError(ImpastoError):
    """Training could not go on; what was saved before is intact."""


class Diverged(TrainingError):
    """Losses or weights stopped being finite numbers."""


class OutOfMemory(TrainingError):
    """The device's memory does not hold this batch."""


class NotSaved(TrainingError):
    """State or model could not be written; the ones before are intact."""


LISTED = 30  # names in a message, at most


def nearest(word: str, known: Iterable[str]) -> str:
    """A phrase that lists what is known, led by the nearest match to `word` if there is one."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    listed = ", ".join(names[:LISTED])
    if len(names) > LISTED:
        listed += f" and {len(names) - LISTED} more"
    return f"did you mean {close[0]}? Known: {listed}" if close else f"known: {listed}"
