"""Diseases that the pictures bring with them, or the way that they get to the networks."""

from impasto.diagnostics.case import Case
from impasto.diagnostics.finding import Finding

FEW_PICTURES = 200
EVEN = 20  # pictures a class; with fewer, counts differ by chance
RARE = 0.2  # of the evenly shared; a class below it will hardly be drawn


def range_mismatch(case: Case) -> Finding | None:
    """Reals and fakes do not live in the same range, so that the discriminator need not look at pictures."""
    low, high = case.now.scalars["real_lowest"], case.now.scalars["real_highest"]
    if low <= -0.2 and low >= -1.01 and high <= 1.01:
        return None
    return Finding(
        name="range mismatch",
        severity="alarm",
        symptom=f"real pixels lie in [{low:.2f}, {high:.2f}], and the generator draws in [-1, 1]",
        evidence={
            name: case.now.scalars[name]
            for name in ("real_lowest", "real_highest", "fake_lowest", "fake_highest")
        },
        cause="A single pixel tells real from generated, and the generator is taught about ranges instead of pictures.",
        remedy="Bring real pixels to [-1, 1], as impasto.images does; if they really have no darks, raise the "
        "contrast",
    )


def slow_loader(case: Case) -> Finding | None:
    """The networks wait for pictures."""
    share = case.recent("loader_wait")
    if not share > 0.3:
        return None
    return Finding(
        name="slow loader",
        severity="warning",
        symptom=f"{share:.0%} of the time training waits for pictures",
        evidence={"loader_wait": share},
        cause="Reading or cropping takes longer than learning.",
        remedy="Put the prepared set on a local disk, prepare it at the size that is trained (data.crop=center leaves "
        "no work to training), or use fewer processes",
    )


def unbalanced(case: Case) -> Finding | None:
    """A class is so rare that it will hardly be drawn."""
    rare = [
        (name, count * len(counts) / max(sum(counts.values()), 1), count)
        for counts in case.facts.classes.values()
        for name, count in counts.items()
        if len(counts) > 1 and sum(counts.values()) >= EVEN * len(counts)
    ]
    if not rare or min(share for _, share, _ in rare) >= RARE:
        return None
    name, share, count = min(rare, key=lambda each: each[1])
    return Finding(
        name="classes out of balance",
        severity="warning",
        symptom=f"class {name} has {count} pictures, {share:.0%} of an even share",
        evidence={"pictures_of_rarest": float(count), "of_even_share": share},
        cause="A generator draws what it sees often; what is rare is learnt last and dropped first.",
        remedy="Add pictures of it, leave it out (--classes), or train it by itself",
    )


def too_few(case: Case) -> Finding | None:
    """So few pictures that a discriminator soon knows them all."""
    count = case.facts.pictures
    if count >= FEW_PICTURES:
        return None
    return Finding(
        name="too few pictures",
        severity="warning",
        symptom=f"{count} pictures to train on",
        evidence={"pictures": float(count)},
        cause=f"With fewer than {FEW_PICTURES}, both players soon know each of them by heart.",
        remedy="Give more pictures; mirror and crop those there are, and stop early",
        settings=("data.flip=true", "data.crop=random"),
    )


def duplicated(case: Case) -> Finding | None:
    """The same picture many times."""
    share = case.facts.duplicates
    if share < 0.1:
        return None
    return Finding(
        name="duplicates in the data",
        severity="warning",
        symptom=f"{share:.0%} of the pictures have the same content as another one",
        evidence={"duplicates": share},
        cause="What is there many times is learnt by heart.",
        remedy="Leave duplicates out: impasto prepare SOURCE --to DIR does, and near duplicates too",
    )
