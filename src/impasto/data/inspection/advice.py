"""What the facts about some pictures mean for training, in a sentence or two each.

The numbers of pictures at which the words change are rules of thumb, from published experience with
small sets and from runs of our own: nothing sudden happens at any of them. Each piece of advice
names the numbers that it follows from, so that a person can disagree.
"""

from collections.abc import Callable, Iterator

from impasto.data.inspection import cautions
from impasto.data.inspection.facts import SIDES, Advice, Inspection, Measured, Topic
from impasto.data.inspection.wording import Said, all_are, percent

MOST = 0.9  # share of pictures that a resolution should not have to enlarge
LARGEST_FIRST = 64  # pixels; with what a first attempt is well served
FEW, SMALL, ENOUGH, PLENTY = 500, 2_000, 5_000, 20_000  # pictures
ALIKE, MIXED = 0.1, 0.04  # share of what varies that all pictures have in common


def best_side(reached: dict[int, float]) -> int | None:
    """The largest usual side, in pixels, that most pictures reach without being enlarged."""
    fitting = [side for side, share in reached.items() if share >= MOST]
    return max(fitting, default=None)


def advise(found: Inspection) -> tuple[Advice, ...]:
    """What to do with these pictures and what to expect of them, the most basic first."""
    if not found.pictures:
        text = (
            "None of the files can be decoded: there is nothing to train on. See why under broken."
        )
        return (Advice("pictures", text, "warning"),)
    topics: dict[Topic, Callable[[Inspection], Iterator[Said]]] = {
        "amount": _amount,
        "framing": _framing,
        "resolution": _resolution,
        "crop": _crop,
        "classes": cautions.classes,
        "colour": cautions.colour,
        "background": cautions.background,
        "style": cautions.style,
        "duplicates": cautions.duplicates,
        "rejects": cautions.rejects,
        "pictures": cautions.broken,
    }
    return tuple(
        Advice(topic, said.text[0].upper() + said.text[1:], said.severity)
        for topic, tell in topics.items()
        for said in tell(found)
    )


def _amount(found: Inspection) -> Iterator[Said]:
    kept = found.kept
    pictures = "1 picture" if kept == 1 else f"{kept:,} pictures"
    if not kept:
        yield Said(
            "warning", "The rules leave no picture to train on; see why under what is left out."
        )
    elif kept < FEW:
        yield Said(
            "warning",
            f"{pictures} are very few. A GAN will learn them by heart and repeat them, unless they are varied "
            "at training time: with `--crop random`, and mirrored (`--set data.flip=true`) where left and right do "
            "not matter. "
            "Good for trying things out, or for variations on these very pictures.",
        )
    elif kept < SMALL:
        yield Said(
            "note",
            f"{pictures} are enough for a small DCGAN at 64 pixels to show what the subject is, in few varieties "
            "and with flaws. Mirror them if left and right do not matter, watch the held-out scores for learning "
            "by heart, and look for more.",
        )
    elif kept < ENOUGH:
        yield Said(
            "note",
            f"{pictures} are a usable set for a DCGAN at 64 pixels. More would mostly add variety.",
        )
    elif kept < PLENTY:
        yield Said(
            "good",
            f"{pictures} are enough for the recipes at up to 96 pixels, where framing is alike.",
        )
    else:
        yield Said(
            "good",
            f"{pictures} are plenty: longer training and larger networks bring more now than more pictures.",
        )


def _framing(found: Inspection) -> Iterator[Said]:
    if found.shared is None or found.kept < 50:
        return
    told = (
        f"The average picture explains {percent(found.shared)} of what varies within the pictures"
    )
    if found.shared >= ALIKE:
        yield Said("good", f"{told}: they are framed alike, which is what a generator learns best.")
    elif found.shared < MIXED:
        need = "" if found.kept >= PLENTY else f", for which {found.kept:,} pictures are few"
        yield Said(
            "warning" if need else "note",
            f"{told}: poses and backgrounds are mixed{need}. Cut the subject out if there is a detector for it "
            "(`--subject cat-face`, `human-face`, or your own), or keep one kind of view.",
        )
    else:
        yield Said(
            "note",
            f"{told}: framing is alike in part. The more alike, the fewer pictures are needed.",
        )


def _resolution(found: Inspection) -> Iterator[Said]:
    if found.sizes is None:
        return
    reached, short = found.sizes.reached, found.sizes.short
    best = best_side(reached)
    if found.prepared:
        yield from _prepared(found.prepared, found.measures.get("scale"))
        return
    if best is None:
        yield Said(
            "warning",
            f"Only {percent(reached[28])} of the pictures have 28 pixels on their short side (median "
            f"{short.median:g}). Whatever the size, most are enlarged and stay soft.",
        )
        return
    larger = next((side for side in reached if side > best), None)
    beyond = (
        f"; only {percent(reached[larger])} reach {larger}" if larger and reached[larger] else ""
    )
    if larger and not reached[larger]:
        beyond = f", and none {larger}"
    text = f"{all_are(reached[best])} at least {best} pixels on the short side{beyond}: `--size {best}`"
    if best > LARGEST_FIRST:
        text += (
            f" is the largest usual size that they fill. Begin with `--size {LARGEST_FIRST}` all the same: a "
            f"step at {best} costs about {(best / LARGEST_FIRST) ** 2:.2g} times as much, and what is wrong shows "
            f"at {LARGEST_FIRST} already."
        )
    else:
        text += " loses nothing they have, and larger would only enlarge them."
    yield Said("good", text)
    if (tiny := _below(found, best / 2)) and tiny >= 0.005:
        yield Said(
            "note",
            f"About {percent(tiny)} are less than half as large as that: enlarged, they teach blur.",
        )


def _prepared(side: int, scale: Measured | None) -> Iterator[Said]:
    told = f"The set is prepared at {side} pixels"
    if scale is not None and scale.low < 1:
        many = "more than half" if scale.median < 1 else "more than 5%"
        yield Said(
            "note",
            f"{told}, and {many} of what is in it was smaller and is enlarged; a smaller `--size` would be sharper.",
        )
        return
    best = max((usual for usual in SIDES if scale and usual <= scale.low * side), default=side)
    more = f"; 95% of it would fill {best}, with `--size {best}`" if best > side else ""
    yield Said("good", f"{told}, for recipes of that size and below{more}.")


def _below(found: Inspection, side: float) -> float:
    """About the share of pictures whose short side is below this many pixels, from whole bins."""
    bins = found.sizes.bins if found.sizes else ()
    return sum(count for _, end, count in bins if end <= side) / max(1, found.pictures)


def _crop(found: Inspection) -> Iterator[Said]:
    aspects = found.aspects
    if aspects is None or found.prepared:
        return
    if aspects.square >= 0.95:
        few = ", or `random` to vary few pictures" if found.kept < ENOUGH else ""
        yield Said(
            "good",
            f"{all_are(aspects.square)} square: any `--crop` keeps all of it; take `center`{few}.",
        )
        return
    lost = f"the square in the middle leaves out {percent(aspects.lost)} of the median picture"
    if aspects.beyond_two >= 0.25:
        yield Said(
            "warning",
            f"{percent(aspects.beyond_two)} are more than twice as long as wide, or the other way round: {lost}. "
            "Take `--crop pad` to keep the whole of each, or `--subject` to cut out what matters.",
        )
        return
    yield Said(
        "good" if aspects.lost < 0.1 else "note",
        (
            f"{percent(aspects.square)} are square, and {lost}. `--crop center` suits subjects in the middle; "
            "`--crop random` varies the cut a little; `--crop pad` or `--subject` is for subjects elsewhere."
        ),
    )
    if aspects.beyond_three:
        yield Said(
            "note",
            f"{percent(aspects.beyond_three)} are longer than 3:1: banners, strips or scans, rarely pictures.",
        )
