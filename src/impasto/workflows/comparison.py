"""What a comparison of models finds."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from impasto.evaluation.memorization import Memorization
from impasto.evaluation.score import Protocol, Score
from impasto.evaluation.standing import Standing
from impasto.views.page import named


@dataclass(frozen=True)
class Compared:
    """One model of a comparison.

    Attributes:
        run: as it was named.
        name: as short as tells it from the others.
        images_seen: of the model.
        seconds: of training up to there; None where the run is not at hand.
        size: at which the model draws, in pixels.
        memorization: None where what it was trained on is not at hand.
    """

    run: str
    name: str
    recipe: str
    images_seen: int
    seconds: float | None
    size: int
    memorization: Memorization | None
    standings: dict[str, Standing]

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by metric."""
        return {metric: standing.score for metric, standing in self.standings.items()}

    @property
    def best(self) -> tuple[str, ...]:
        """The metrics in which nothing is better, and something is worse."""
        return tuple(metric for metric, standing in self.standings.items() if standing.best)

    def to_plain(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers."""
        return {
            "run": self.run,
            "name": self.name,
            "recipe": self.recipe,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "size": self.size,
            "scores": {
                metric: {
                    "value": score.value,
                    "standard_error": score.standard_error,
                    "better": score.better,
                    **asdict(score.protocol),
                }
                for metric, score in self.scores.items()
            },
            "errors_behind": {
                metric: standing.behind if standing.behind < float("inf") else None
                for metric, standing in self.standings.items()
            },
            "memorization": self.memorization.to_plain() if self.memorization else None,
            "best": list(self.best),
        }


@dataclass(frozen=True)
class Comparison:
    """Several models by one protocol.

    Attributes:
        protocol: of all scores; `ema` is None where some models draw by averaged weights and some do not.
        runs: in the order in which they were named.
        notes: what to keep in mind.
        page: where it can be looked at.
    """

    protocol: Protocol
    runs: tuple[Compared, ...]
    notes: tuple[str, ...]
    page: Path | None

    @property
    def terms(self) -> str:
        """The protocol as a sentence."""
        told = self.protocol
        softened = f", all softened to {told.softened} pixels first" if told.softened else ""
        return (
            f"{told.n_generated:,} pictures of each, seed {told.seed}, against {told.n_real:,} real of "
            f"{named(told.real)} ({told.split}, data {told.fingerprint[:12]}) at {told.size} pixels{softened}; "
            f"{told.extractor}, sha256 {told.extractor_sha256[:12]}, {told.resize}"
        )

    def to_plain(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers."""
        return {
            "protocol": asdict(self.protocol),
            "runs": [compared.to_plain() for compared in self.runs],
            "notes": list(self.notes),
            "page": str(self.page) if self.page else None,
        }
