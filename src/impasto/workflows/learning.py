"""Learning from a person's review in the background: a thread, how far it has come, and what it found."""

import threading
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int64

from impasto.data.features import Extract, features_of
from impasto.data.prepared import Prepared
from impasto.errors import ImpastoError, SourceError
from impasto.workflows.likelihood import FEWEST, Look, learn, networks, thumbnails

FAILURES = (
    ImpastoError,
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class Learning:
    """How far learning has come."""

    phase: Literal["none", "features", "fitting", "ready", "failed"] = "none"
    done: int = 0  # pictures, of the phase
    total: int = 0
    features: str = ""  # what is learnt from, in words
    message: str = ""  # why it failed
    auroc: float | None = None
    spread: float | None = None
    rejected: int = 0
    passed: int = 0


class _Ended(Exception):
    """The review is closed while it learns."""


class Learner:
    """Learns which pictures are likely to be rejected; what was learnt before stays until then."""

    def __init__(self, prepared: Prepared, extract: Extract | None) -> None:
        self._prepared, self._extract = prepared, extract
        self._status = Learning(features=self._described())
        self._odds: Float32[np.ndarray, " slots"] | None = None
        self._times = 0
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> Learning:
        """How far learning has come."""
        with self._guard:
            return self._status

    @property
    def odds(self) -> Float32[np.ndarray, " slots"] | None:
        """Logarithms of the odds of being rejected, nan where there is nothing to show."""
        with self._guard:
            return self._odds

    @property
    def times(self) -> int:
        """How often something was learnt."""
        with self._guard:
            return self._times

    def start(
        self,
        rejected: Int64[np.ndarray, " r"],
        passed: Int64[np.ndarray, " p"],
        asked: Int64[np.ndarray, " a"],
    ) -> None:
        """Starts to learn, unless it does already.

        Args:
            rejected: slots that a person left out.
            passed: slots that a person kept, or looked at and did not reject.
            asked: slots to answer for.

        Raises:
            SourceError: too few pictures are judged.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        if len(rejected) < FEWEST or len(passed) < FEWEST:
            raise SourceError(
                f"{len(rejected)} pictures are rejected by hand, and {len(passed)} looked at and kept; "
                f"judge at least {FEWEST} of each, then learn"
            )
        self._tell(phase="features", done=0, total=len(self._prepared.arrays.status), message="")
        self._thread = threading.Thread(
            target=self._learn, args=(rejected, passed, asked), daemon=True
        )
        self._thread.start()

    def wait(self) -> Learning:
        """What came of it, when it is over."""
        if self._thread is not None:
            self._thread.join()
        return self.status

    def end(self) -> None:
        """Ends learning; features that are done are kept, and it goes on from there another time."""
        self._ending.set()
        self.wait()

    def _learn(
        self,
        rejected: Int64[np.ndarray, " r"],
        passed: Int64[np.ndarray, " p"],
        asked: Int64[np.ndarray, " a"],
    ) -> None:
        try:
            look = self._look()
            self._tell(phase="fitting", done=0, total=len(asked))
            slots = len(self._prepared.arrays.status)
            learnt = learn(look, rejected, passed, asked, slots=slots, report=self._report)
        except _Ended:
            return
        except FAILURES as error:
            self._tell(phase="failed", message=f"{type(error).__name__}: {error}")
            return
        with self._guard:
            self._odds = learnt.odds
            self._times += 1
        self._tell(
            phase="ready",
            auroc=learnt.auroc,
            spread=learnt.spread,
            rejected=learnt.rejected,
            passed=learnt.passed,
        )

    def _look(self) -> Look:
        arrays = self._prepared.arrays
        if self._extract is None:
            return thumbnails(arrays)
        features = features_of(self._prepared.path, arrays, self._extract, self._report)
        return networks(arrays, features)

    def _described(self) -> str:
        if self._extract is None:
            return "small thumbnails and what is measured, as no network's features are at hand"
        return f"features of {self._extract.name} and what is measured"

    def _report(self, done: int, total: int) -> None:
        if self._ending.is_set():
            raise _Ended
        self._tell(done=done, total=total)

    def _tell(self, **changes: Any) -> None:
        with self._guard:
            self._status = replace(self._status, **changes)
