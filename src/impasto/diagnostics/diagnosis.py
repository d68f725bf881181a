"""Diagnosis: which diseases a training has, causes first.

A cause hides what follows from it: where the discriminator has won, that all samples look alike is no news.
"""

import math
from collections.abc import Callable, Mapping

from impasto.diagnostics.case import RECENT, Case
from impasto.diagnostics.diseases import codes, data, players, rates, samples
from impasto.diagnostics.finding import Finding

Disease = Callable[[Case], Finding | None]

WARM_UP = 0.1  # of the budget; before it, players have hardly met

DISEASES: tuple[Disease, ...] = (
    data.range_mismatch,
    rates.divergence,
    data.slow_loader,
    rates.rate_too_low,
    rates.rate_too_high,
    players.discriminator_wins,
    players.generator_wins,
    samples.collapse,
    samples.partial_collapse,
    players.oscillation,
    codes.posterior_collapse,
    codes.dead_latents,
    codes.autoencoder_overfits,
    codes.blurred_decoder,
    codes.prior_mismatch,
    samples.memorisation,
    players.overfitting,
    samples.batch_leakage,
    samples.checkerboard,
    data.too_few,
    data.unbalanced,
    data.duplicated,
)
# What a cause explains is not told beside it.
_CHAOS = frozenset(
    {
        "discriminator wins",
        "generator wins",
        "mode collapse",
        "partial mode collapse",
        "oscillation",
        "checkerboard",
    }
)
EXPLAINS: Mapping[str, frozenset[str]] = {
    "range mismatch": _CHAOS,
    "divergence": _CHAOS | {"learning rate too high"},
    "learning rate too high": _CHAOS - {"oscillation"},
    "learning rate too low": _CHAOS,
    "discriminator wins": _CHAOS - {"discriminator wins", "generator wins", "mode collapse"},
    "generator wins": _CHAOS - {"discriminator wins", "generator wins"},
    "mode collapse": _CHAOS - {"mode collapse", "generator wins"},
    "memorisation": frozenset({"partial mode collapse", "discriminator overfits"}),
}


def diagnose(case: Case) -> list[Finding]:
    """What ails a training now, causes first, or that it is well; empty when it is too early to say."""
    if not case.looks or case.now.fraction < WARM_UP:
        return []
    found = [finding for disease in DISEASES if (finding := disease(case))]
    explained = frozenset[str]().union(*(EXPLAINS.get(finding.name, ()) for finding in found))
    told = [finding for finding in found if finding.name not in explained]
    return told or [well(case)] * (len(case.looks) >= RECENT)


def well(case: Case) -> Finding:
    """That nothing ails it."""
    told = case.recents("separation", "diversity", "apartness", "energy_distance")
    return Finding(
        name="well",
        severity="good",
        symptom="nothing ails it",
        evidence={name: value for name, value in told.items() if math.isfinite(value)},
        cause="Neither player has left the other behind, steps are of a healthy length, and samples vary.",
        remedy="Let it go on",
    )
