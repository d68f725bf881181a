"""Diseases of the game: one player leaves the other nothing to learn, or they run in circles."""

from impasto.diagnostics.case import Case
from impasto.diagnostics.finding import Finding

LASTING = 8  # looks over which a discriminator must know its pictures, of which each look asks a few dozen
SWINGS = 16  # looks over which a training is asked whether it swings, which a few may hit by chance


def discriminator_wins(case: Case) -> Finding | None:
    """The discriminator is sure of everything, and the generator has nothing to learn from."""
    told = case.recents(
        "separation", "real_logit", "fake_logit", "generator_loss", "energy_distance"
    )
    sure = min(told["real_logit"], -told["fake_logit"]) > 1.5 and told["generator_loss"] > 3.0
    stuck = told["energy_distance"] > 0.25 and case.trend("energy_distance") > 0.8
    if not (sure and stuck and told["separation"] > 0.97):
        return None
    return Finding(
        name="discriminator wins",
        severity="alarm",
        symptom="the discriminator tells every generated picture from every real one, and is sure of it, while the "
        "generator's loss climbs",
        evidence=told,
        cause="It learns faster than the generator, which gets little to go by from answers that are never in doubt.",
        remedy="Hold the discriminator back",
        settings=case.facts.settings("weaken discriminator"),
        lever="weaken discriminator",
    )


def generator_wins(case: Case) -> Finding | None:
    """The discriminator takes generated pictures for real ones, and has stopped catching up."""
    told = case.recents("separation", "fake_accuracy", "energy_distance")
    told |= case.recents("generator_update_ratio", "discriminator_update_ratio")
    pace = told["discriminator_update_ratio"] / max(told["generator_update_ratio"], 1e-9)
    if not (told["separation"] < 0.4 and told["energy_distance"] > 0.3 and pace < 0.2):
        return None
    return Finding(
        name="generator wins",
        severity="alarm",
        symptom="the discriminator takes generated pictures for real ones although they look nothing like them",
        evidence=told,
        cause="It moves too slowly to follow the generator, which then learns to fool it instead of learning pictures.",
        remedy="Let the discriminator learn faster",
        settings=case.facts.settings("strengthen discriminator"),
        lever="strengthen discriminator",
    )


def oscillation(case: Case) -> Finding | None:
    """The players chase each other in circles."""
    if case.now.fraction < 0.2:
        return None
    names = ("grid_change", "grid_return", "energy_distance")
    told = {name: case.recent(name, SWINGS) for name in names}
    if not (told["grid_change"] > 0.5 and told["grid_return"] < 0.75):
        return None
    return Finding(
        name="oscillation",
        severity="alarm",
        symptom="the same latents give other pictures at every look, and then the earlier ones again",
        evidence=told,
        cause="Steps are so large, or pictures come in such long stretches of one kind, that both players overshoot.",
        remedy="Average the weights over the swings, take smaller steps, or let them become smaller (family.schedule)",
        settings=case.facts.settings(case.facts.calming),
        lever=case.facts.calming,
    )


def overfitting(case: Case) -> Finding | None:
    """The discriminator knows its pictures by heart."""
    names = ("recognition", "real_logit", "held_out_logit")
    told = {name: case.recent(name, LASTING) for name in names}
    if not told["recognition"] > 0.72:
        return None
    return Finding(
        name="discriminator overfits",
        severity="alarm",
        symptom="the discriminator tells pictures that it trained on from others of the same kind",
        evidence=told,
        cause="There are too few pictures for it, and it sees them too often, so it judges by memory.",
        remedy="Give more pictures, vary them (data.flip=true, data.crop=random), hold it back, or stop here",
        settings=case.facts.settings("weaken discriminator"),
        lever="weaken discriminator",
    )
