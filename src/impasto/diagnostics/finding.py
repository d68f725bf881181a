"""A finding: what the signals mean, why it happens, and what to do about it in the run's own settings."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from impasto.types import Lever

Severity = Literal["alarm", "warning", "good"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A disease, or (`good`) that there is none.

    Attributes:
        symptom: what is to be seen.
        evidence: the numbers that tell it, by signal.
        cause: why it happens.
        remedy: what to do, in words.
        settings: the remedy in the run's own settings, as one would type them after --set.
        lever: what a run that heals itself may pull.
    """

    name: str
    severity: Severity
    symptom: str
    evidence: Mapping[str, float]
    cause: str
    remedy: str
    settings: tuple[str, ...] = ()
    lever: Lever | None = None

    def __str__(self) -> str:
        """The finding in a sentence or two."""
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in self.evidence.items())
        told = f" ({numbers})" if numbers else ""
        typed = f": --set {' '.join(self.settings)}" if self.settings else ""
        return f"{self.name}: {self.symptom}{told}. {self.cause} {self.remedy}{typed}"

    def to_plain(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)
