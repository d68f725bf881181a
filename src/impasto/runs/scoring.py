"""Scores while training goes on: the same real pictures, the same seeds, the averaged weights of now."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from impasto.data.prepared import Prepared
from impasto.data.spread import evenly
from impasto.errors import SourceError
from impasto.evaluation.evaluation import FEWEST, scores_of
from impasto.evaluation.extractors import Classifier, Extractor, find_extractor
from impasto.evaluation.score import Protocol, Score, Split
from impasto.evaluation.sight import Sight
from impasto.events import Event, Scored
from impasto.families import Model
from impasto.runs.config import RunConfig, ScoringConfig

STEERED_BY = "kernel_distance_unit"
AFFORDABLE = 0.05  # share of the time; scores that take more are told about


@dataclass
class Record:
    """The scores of a run so far: which is the best, and how many came after it."""

    best: float = math.inf
    since: int = 0
    told: bool = False  # that scoring is expensive
    last: float = 0.0  # seconds of training at the last score

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Record":
        """The record of a run that has told these."""
        record = cls()
        for event in events:
            if isinstance(event, Scored):
                record.add(float(event.scores[STEERED_BY]["value"]))
        return record

    def add(self, value: float) -> bool:
        """Whether this score is the best so far."""
        better = value < self.best
        self.best, self.since = (value, 0) if better else (self.best, self.since + 1)
        return better

    def exhausted(self, patience: int) -> bool:
        """Whether so many scores in a row were not the best."""
        return 0 < patience <= self.since

    def notice(self, took: float, seconds: float) -> str:
        """What is to be said if a score took too large a share of the time since the last one."""
        since, self.last = seconds - self.last, seconds
        if self.told or took <= AFFORDABLE * since:
            return ""
        self.told = True
        return (
            f"a score takes {took:.0f} s, {took / max(since + took, 1e-9):.0%} of the time; score less often with a "
            "larger --evaluate-every, or fewer pictures with --set train.scoring.pictures=500"
        )


def extractor_of(scoring: ScoringConfig, device: torch.device) -> Extractor:
    """The extractor that a run is scored by.

    Raises:
        BadInput: there is no such extractor, or its weights are not here.
    """
    kind = device.type if device.type in {"cpu", "cuda"} else "cpu"
    return find_extractor(scoring.extractor, device=kind)


class Scorer:
    """Scores models against the held-out pictures of a run, or against all where few are held out.

    Raises:
        SourceError: there are too few pictures for a score.
    """

    def __init__(self, config: RunConfig, prepared: Prepared, device: torch.device) -> None:
        scoring = config.train.scoring
        self._sight = Sight(extractor_of(scoring, device))
        self._seed, self._count = config.train.seed, scoring.pictures
        self._averaged = config.family.ema_half_life > 0
        self._prepared = prepared
        _, held_out = prepared.split(config.data.split_seed, config.data.validation)
        enough = len(held_out) >= scoring.pictures
        self._split: Split = "held-out" if enough else "all"
        positions = held_out if enough else np.arange(len(prepared))
        positions = evenly(positions, self._count)
        if len(positions) < FEWEST:
            raise SourceError(
                f"{prepared.source}: {len(positions)} pictures are too few for scores; leave --evaluate-every out"
            )
        self._real = self._sight.of_prepared(prepared, positions)

    def __call__(self, model: Model) -> dict[str, Score]:
        """Every score of the model by its name."""
        generated = self._sight.features(model.sample(self._count, self._seed))
        extractor = self._sight.extractor
        protocol = Protocol(
            n_real=len(self._real),
            n_generated=len(generated),
            real=self._prepared.source,
            fingerprint=self._prepared.fingerprint,
            split=self._split,
            size=self._prepared.config.size,
            softened=None,
            extractor=extractor.name,
            extractor_sha256=extractor.digest,
            resize=extractor.resize,
            ema=self._averaged,
            seed=self._seed,
        )
        logits = extractor.logits(generated) if isinstance(extractor, Classifier) else None
        return scores_of(self._real, generated, protocol, logits=logits)
