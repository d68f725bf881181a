"""What to mind in some pictures: classes, colour, background, style, copies, flaws, broken files."""

import shlex
from collections.abc import Iterator

from impasto.data.inspection.facts import Inspection
from impasto.data.inspection.wording import Said, all_are, listed, percent

FEW_IN_CLASS, ENOUGH_IN_CLASS = 200, 1_000  # pictures
_FLAWS = ("too small", "odd aspect", "dark", "uniform", "blurred", "text", "drawn", "outlier")
_SEE_THROUGH = ("RGBA", "LA", "PA", "RGBa", "La")


def classes(found: Inspection) -> Iterator[Said]:
    """Whether classes are even, and large enough."""
    balance = found.balance
    if balance is None:
        return
    counts = found.classes
    ordered = sorted(counts, key=lambda name: -counts[name])
    largest, smallest = ordered[0], ordered[-1]
    scarce = [name for name in ordered if counts[name] < FEW_IN_CLASS]
    ready = [name for name in ordered if counts[name] >= ENOUGH_IN_CLASS]
    told = (
        f"{len(counts)} classes, as varied as {balance.effective:g} of one size; {largest} has {counts[largest]:,} "
        f"pictures, {smallest} {counts[smallest]:,}"
    )
    if balance.ratio is not None and balance.ratio <= 3:
        yield Said("good", f"{told}: well balanced.")
    else:
        yield Said(
            "warning",
            f"{told} ({percent(balance.rarest)}): trained on all of them without labels, a model draws {smallest} no "
            "more often than that, and badly. "
            f"Train on one class with `--classes {shlex.quote(largest)}`, or find more of the rare ones.",
        )
    if scarce:
        yield Said(
            "warning",
            f"Fewer than {FEW_IN_CLASS} pictures are in {listed(scarce)}: too few for a model of that class alone, "
            "and for one that is told the class to draw it with any variety.",
        )
    if len(scarce) < len(counts):
        told = (
            f"All {len(counts)}" if len(ready) == len(counts) else f"{len(ready)} of {len(counts)}"
        )
        yield Said(
            "note",
            f"{told} classes have the {ENOUGH_IN_CLASS:,} pictures with which a model that is told the class, or "
            "one model for each, begins to make sense.",
        )


def colour(found: Inspection) -> Iterator[Said]:
    """Pictures without colour."""
    if found.grey is None or found.grey < 0.05:
        return
    if found.grey > 0.98:
        yield Said(
            "note",
            f"{all_are(found.grey)} grey: `--channels 1` (with train, `--set data.channels=1`) saves two thirds of the "
            "room, and networks that would learn three times the same.",
        )
    else:
        yield Said(
            "note",
            f"{percent(found.grey)} of the pictures have no colour. Where that is not the subject's own, but black "
            "and white among colour, a generator will draw both; `--channels 1` makes all of them grey.",
        )


def background(found: Inspection) -> Iterator[Said]:
    """Pictures that can be seen through."""
    see_through = sum(found.modes.get(mode, 0) for mode in _SEE_THROUGH)
    if see_through:
        yield Said(
            "note",
            f"{percent(see_through / found.pictures)} may have transparent parts: white shows through, or the "
            "colour that `--background #rrggbb` names.",
        )


def style(found: Inspection) -> Iterator[Said]:
    """Drawings among photographs, and the other way round."""
    drawn = found.rejected.get("drawn", 0) + found.rejected.get("text", 0)
    if found.photographs and drawn:
        yield Said(
            "note",
            f"Mostly photographs; the standard rules leave out {drawn:,} as drawn or as text, and "
            "`--rules drawn=off text=off` keeps them.",
        )
    elif found.photographs is False:
        yield Said(
            "note",
            "Mostly drawings, so nothing is left out for being one. Photographs among them, if any, are kept.",
        )


def duplicates(found: Inspection) -> Iterator[Said]:
    """Copies, exact and near."""
    again = sum(len(names) - 1 for names in found.duplicates)
    near = found.near_duplicates.count
    if not again + near:
        return
    parts = [f"{again:,} exact copies"] if again else []
    parts += [f"{near:,} near copies"] if near else []
    share = (again + near) / found.pictures
    off = "duplicate=off" if again else "near_duplicate=off"
    yield Said(
        "warning" if share >= 0.1 else "note",
        (
            f"{' and '.join(parts)} ({percent(share)}) of other pictures. Copies weigh double in training, and a near "
            "copy among the held-out pictures makes learning by heart look like understanding; the standard rules "
            f"keep one of each (`--rules {off}` keeps all)."
        ),
    )


def rejects(found: Inspection) -> Iterator[Said]:
    """How much the rules on flaws leave out."""
    flaws = {kind: count for kind, count in found.rejected.items() if kind in _FLAWS}
    if not flaws:
        return
    share = sum(flaws.values()) / found.pictures
    commonest = max(flaws, key=lambda kind: flaws[kind])
    rule = commonest.replace(" ", "_")
    yield Said(
        "warning" if share >= 0.1 else "note",
        f"The rules on flaws leave out {sum(flaws.values()):,} ({percent(share)}), most of them as {commonest} "
        f"({flaws[commonest]:,}). Look at some with `--html`; `--rules {rule}=off` keeps them.",
    )


def broken(found: Inspection) -> Iterator[Said]:
    """What does not decode."""
    if found.broken:
        share = len(found.broken) / found.found
        yield Said(
            "warning" if share >= 0.05 else "note",
            f"{len(found.broken):,} files ({percent(share)}) cannot be decoded and are passed over. If there are "
            "many, a download or a copy was probably cut short.",
        )
