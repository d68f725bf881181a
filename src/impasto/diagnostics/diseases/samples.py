"""Diseases that are to be seen in what is drawn."""

from impasto.diagnostics.case import Case
from impasto.diagnostics.finding import Finding

FEW_IN_A_BATCH = 8


def collapse(case: Case) -> Finding | None:
    """All samples are one picture."""
    told = case.recents("diversity", "contrast_ratio")
    if not (told["diversity"] < 0.01 and told["contrast_ratio"] > 0.1):
        return None
    return Finding(
        name="mode collapse",
        severity="alarm",
        symptom="samples of different latents are the same picture",
        evidence=told,
        cause="The generator has found one picture that passes, and no gradient asks it for others.",
        remedy="Go back to before it, and let the generator take smaller steps against a discriminator that keeps up",
        settings=case.facts.settings("slow generator"),
        lever="slow generator",
    )


def partial_collapse(case: Case) -> Finding | None:
    """Samples are a few pictures, many times."""
    told = case.recents("apartness", "kinds", "diversity")
    if not (told["apartness"] < 0.15 and told["diversity"] >= 0.01):
        return None
    return Finding(
        name="partial mode collapse",
        severity="alarm",
        symptom="samples fall into a few clumps of nearly the same picture",
        evidence=told,
        cause="The generator serves few kinds of pictures, which pass, and has dropped the others.",
        remedy="Go back to before it, and let the generator take smaller steps against a discriminator that keeps up; "
        "larger batches help too",
        settings=case.facts.settings("slow generator"),
        lever="slow generator",
    )


def memorisation(case: Case) -> Finding | None:
    """Samples are training pictures."""
    told = case.recents("copied", "copied_surely", "energy_distance")
    drawn = told["energy_distance"] < 0.5  # mud is near whatever picture is plain
    if not (drawn and told["copied_surely"] > 0.5 and told["copied"] > 0.15):
        return None
    return Finding(
        name="memorisation",
        severity="alarm",
        symptom=f"{told['copied']:.0%} of samples lie closer to a training picture than real pictures ever do",
        evidence=told,
        cause="There are so few pictures that repeating them is easier than learning what they have in common.",
        remedy="Give more pictures, vary them (data.flip=true, data.crop=random), take a narrower network, or stop "
        "earlier; impasto evaluate shows the closest pairs",
    )


def batch_leakage(case: Case) -> Finding | None:
    """A picture depends on those that are drawn beside it."""
    told = case.recents("batch_leak")
    few = (
        case.facts.batch < FEW_IN_A_BATCH
    )  # where the cause is there, less of the symptom tells it
    if not told["batch_leak"] > (0.12 if few else 0.35):
        return None
    return Finding(
        name="batch-norm leakage",
        severity="alarm",
        symptom=f"a picture changes with those that are drawn beside it, by {told['batch_leak']:.0%} of two's distance",
        evidence=told,
        cause=f"Batch norm takes its statistics from {case.facts.batch} pictures, too few for them to be steady, and "
        "what is drawn later, alone, was never trained.",
        remedy="Use larger batches",
        settings=(f"train.batch={max(16, 4 * case.facts.batch)}",),
    )


def checkerboard(case: Case) -> Finding | None:
    """A grid with the period of the generator's strides lies over the samples."""
    if case.now.fraction < 0.3:
        return None
    told = case.recents("checkerboard", "energy_distance", "contrast_ratio")
    drawn = told["energy_distance"] < 0.6 and told["contrast_ratio"] > 0.4
    if not (drawn and told["checkerboard"] > 2.05):
        return None
    return Finding(
        name="checkerboard",
        severity="alarm",
        symptom="samples have a grid pattern with the period of the generator's strides, 100 times the data's and more",
        evidence=told,
        cause="A layer that enlarges covers its pixels unevenly where its kernel's size is no multiple of its stride.",
        remedy="Use kernels that are multiples of their stride (such as 4/2/1 for family.generator_head), or train "
        "longer",
    )
