"""A score: a number that cannot be told without how it was taken."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from impasto.evaluation.estimate import Estimate

Split = Literal["all", "training", "held-out"]
Better = Literal["lower", "higher"]

METRICS: dict[str, tuple[str, Better]] = {
    "kernel_distance_unit": ("kernel distance, unit length", "lower"),
    "kernel_distance": ("kernel distance, as usual", "lower"),
    "frechet_distance": ("Frechet distance", "lower"),
    "precision_unit": ("precision, unit length", "higher"),
    "recall_unit": ("recall, unit length", "higher"),
    "density_unit": ("density, unit length", "higher"),
    "coverage_unit": ("coverage, unit length", "higher"),
    "precision": ("precision, as usual", "higher"),
    "recall": ("recall, as usual", "higher"),
    "density": ("density, as usual", "higher"),
    "coverage": ("coverage, as usual", "higher"),
    "diversity": ("diversity over the reals'", "higher"),
    "inception_score": ("inception score", "higher"),
}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """All that a score depends on beside the model: two scores compare if these agree."""

    n_real: int
    n_generated: int
    real: str  # the source of real pictures, in words
    fingerprint: str  # of these pictures
    split: Split  # which of them
    size: int  # side of the pictures compared, in pixels
    softened: int | None  # side that both were brought to before, in pixels
    extractor: str
    extractor_sha256: str
    resize: str  # what the extractor does to pictures of that size
    ema: bool | None  # whether drawn by averaged weights; None: not drawn from a model
    seed: int | None

    def __str__(self) -> str:
        """The protocol as one sentence."""
        drawn = {True: "averaged weights", False: "last weights", None: "not drawn by a model"}
        softened = f", both softened to {self.softened} pixels first" if self.softened else ""
        return (
            f"{self.n_generated:,} generated ({drawn[self.ema]}"
            f"{'' if self.seed is None else f', seed {self.seed}'}) against {self.n_real:,} real of {self.real} "
            f"({self.split}, data {self.fingerprint[:12]}) at {self.size} pixels{softened}; "
            f"{self.extractor}, sha256 {self.extractor_sha256[:12]}, {self.resize}"
        )


@dataclass(frozen=True)
class Score:
    """A value, its standard error, and the protocol it was taken by; however printed, it tells all."""

    metric: str
    value: float
    standard_error: float
    protocol: Protocol

    def __str__(self) -> str:
        """The score with its error and its protocol, in one line."""
        return f"{self.title} {self.estimate} ({self.better} is better; {self.protocol})"

    __repr__ = __str__

    @property
    def title(self) -> str:
        """The metric as people say it."""
        return METRICS[self.metric][0]

    @property
    def better(self) -> Better:
        """Which way is better."""
        return METRICS[self.metric][1]

    def to_plain(self) -> dict[str, Any]:
        """The score and its protocol as strings and numbers."""
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "better": self.better,
            **asdict(self.protocol),
        }

    @property
    def estimate(self) -> Estimate:
        """The value and its error."""
        return Estimate(self.value, self.standard_error)
