"""What the facts about some pictures mean for training, in a sentence or two each.

The numbers of pictures at which the words change are rules of thumb, from published experience with
small sets and from runs of our own: nothing sudden happens at any of them. Each piece of advice
names the numbers that it follows from, so that a person can disagree.
"""

import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from impasto.data.inspection import Advice, Inspection, Severity, Topic

MOST = 0.9  # share of pictures that a resolution should not have to enlarge
LARGEST_FIRST = 64  # pixels; with what a first attempt is well served
FEW, SMALL, ENOUGH, PLENTY = 500, 2_000, 5_000, 20_000  # pictures
FEW_IN_CLASS, ENOUGH_IN_CLASS = 200, 1_000  # pictures
ALIKE, MIXED = 0.1, 0.04  # share of what varies that all pictures have in common
_SEE_THROUGH = ("RGBA", "LA", "PA", "RGBa", "La")


class Said(NamedTuple):
    """A piece of advice on the topic at hand."""

    severity: Severity
    text: str


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
        "classes": _classes,
        "colour": _colour,
        "background": _background,
        "style": _style,
        "duplicates": _duplicates,
        "rejects": _rejects,
        "pictures": _broken,
    }
    return tuple(
        Advice(topic, said.text, said.severity)
        for topic, tell in topics.items()
        for said in tell(found)
    )


def percent(share: float) -> str:
    """A share as people say it: never 0% of something, nor 100% of less than all."""
    if 0 < share < 0.01:
        return "less than 1%"
    if 0.99 < share < 1:
        return "more than 99%"
    return f"{share:.0%}"


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
            "at training time: mirrored (data.flip, where left and right do not matter) and with --crop random. "
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
            f"{pictures} are a usable set for a DCGAN at 64 pixels. More would widen the variety rather than "
            "sharpen the pictures.",
        )
    elif kept < PLENTY:
        yield Said(
            "good",
            f"{pictures} are enough for the recipes at up to 96 pixels, where framing is alike.",
        )
    else:
        yield Said(
            "good",
            f"{pictures} are plenty: here longer training and larger networks pay, not more pictures.",
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
            "(--subject cat-face, human-face, or your own), or keep one kind of view.",
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
        yield from _prepared(found.prepared, reached)
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
    text = f"{_all(reached[best])} at least {best} pixels on the short side{beyond}: --size {best}"
    if best > LARGEST_FIRST:
        times = (best / LARGEST_FIRST) ** 2
        text += (
            f" is the most they carry. Begin with --size {LARGEST_FIRST} all the same: a step at {best} costs "
            f"about {times:.2g} times as much, and what is wrong shows at {LARGEST_FIRST} already."
        )
    else:
        text += " loses nothing they have, and larger would only enlarge them."
    yield Said("good", text)
    if (tiny := _below(found, best / 2)) and tiny >= 0.005:
        yield Said(
            "note",
            f"About {percent(tiny)} are less than half as large as that: enlarged, they teach blur.",
        )


def _prepared(side: int, reached: dict[int, float]) -> Iterator[Said]:
    enlarged = [share for pixels, share in reached.items() if pixels <= side]
    if enlarged and min(enlarged) < MOST:
        yield Said(
            "note",
            f"The set is prepared at {side} pixels, and only {percent(min(enlarged))} of its originals have a "
            "short side as long as that: the others were enlarged.",
        )
        return
    best = best_side(reached) or side
    more = f"; its originals would carry {best}, with --size {best}" if best > side else ""
    yield Said(
        "good", f"The set is prepared at {side} pixels, for recipes of that size and below{more}."
    )


def _below(found: Inspection, side: float) -> float:
    """About the share of pictures whose short side is below this many pixels, from whole bins."""
    bins = found.sizes.bins if found.sizes else ()
    return sum(count for _, end, count in bins if end <= side) / max(1, found.pictures)


def _crop(found: Inspection) -> Iterator[Said]:
    aspects = found.aspects
    if aspects is None or found.prepared:
        return
    if aspects.square >= 0.95:
        few = ", or random to vary few pictures" if found.kept < ENOUGH else ""
        yield Said(
            "good",
            f"{_all(aspects.square)} square: any --crop keeps all of it; take center{few}.",
        )
        return
    lost = f"the square in the middle leaves out {percent(aspects.lost)} of the median picture"
    if aspects.beyond_two >= 0.25:
        yield Said(
            "warning",
            f"{percent(aspects.beyond_two)} are more than twice as long as wide, or the other way round: {lost}. "
            "Take --crop pad to keep the whole of each, or --subject to cut out what matters.",
        )
        return
    yield Said(
        "good" if aspects.lost < 0.1 else "note",
        (
            f"{percent(aspects.square)} are square, and {lost}. --crop center suits subjects in the middle; --crop "
            "random varies the cut a little; --crop pad or --subject is for subjects elsewhere."
        ),
    )
    if aspects.beyond_three:
        yield Said(
            "note",
            f"{percent(aspects.beyond_three)} are longer than 3:1: banners, strips or scans, rarely pictures.",
        )


def _classes(found: Inspection) -> Iterator[Said]:
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
            f"{told} ({percent(balance.rarest)}): trained on all of them, a model hardly ever draws {smallest}. "
            f"Train on one class with --classes {_quoted(largest)}, or find more of the rare ones.",
        )
    if scarce:
        yield Said(
            "warning",
            f"{_listed(scarce)} {'has' if len(scarce) == 1 else 'have'} fewer than {FEW_IN_CLASS} pictures: too "
            "few to be learnt as a class of "
            f"{'its' if len(scarce) == 1 else 'their'} own, by a model of its own or by one that is told the class.",
        )
    told = f"{len(ready)} of {len(counts)} classes" if len(ready) < len(counts) else "All classes"
    yield Said(
        "note",
        (
            f"{told if ready else 'No class'} {'has' if not ready or len(ready) == 1 else 'have'} the "
            f"{ENOUGH_IN_CLASS:,} pictures with which a model that is told the class, or one model a class, begins "
            "to make sense."
        ),
    )


def _colour(found: Inspection) -> Iterator[Said]:
    if found.grey is None or found.grey < 0.05:
        return
    if found.grey > 0.98:
        yield Said(
            "note",
            f"{_all(found.grey)} grey: --channels 1 (with train, --set data.channels=1) saves two thirds of the "
            "room, and networks that would learn three times the same.",
        )
    else:
        yield Said(
            "note",
            f"{percent(found.grey)} of the pictures have no colour. Where that is not the subject's own, but black "
            "and white among colour, a generator will draw both; --channels 1 makes all of them grey.",
        )


def _background(found: Inspection) -> Iterator[Said]:
    see_through = sum(found.modes.get(mode, 0) for mode in _SEE_THROUGH)
    if see_through:
        yield Said(
            "note",
            f"{percent(see_through / found.pictures)} may have transparent parts: white shows through unless "
            "--background #rrggbb says otherwise. A colour that the subject does not have is learnt most easily.",
        )


def _style(found: Inspection) -> Iterator[Said]:
    drawn = found.rejected.get("drawn", 0) + found.rejected.get("text", 0)
    if found.photographs and drawn:
        yield Said(
            "note",
            f"Mostly photographs, with {drawn:,} drawings or pictures of text, which the standard rules leave "
            "out; --rules drawn=off text=off keeps them.",
        )
    elif found.photographs is False:
        yield Said(
            "note",
            "Mostly drawings, so nothing is left out for being one. Photographs among them, if any, are kept.",
        )


def _duplicates(found: Inspection) -> Iterator[Said]:
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
            f"keep one of each (--rules {off} keeps all)."
        ),
    )


def _rejects(found: Inspection) -> Iterator[Said]:
    flaws = {
        kind: count
        for kind, count in found.rejected.items()
        if kind
        in {"too small", "odd aspect", "dark", "uniform", "blurred", "text", "drawn", "outlier"}
    }
    if not flaws:
        return
    share = sum(flaws.values()) / found.pictures
    commonest = max(flaws, key=lambda kind: flaws[kind])
    yield Said(
        "warning" if share >= 0.1 else "note",
        (
            f"The rules on flaws leave out {sum(flaws.values()):,} ({percent(share)}), most of them as {commonest} "
            f"({flaws[commonest]:,}). Look at some with --html; --rules {commonest.replace(' ', '_')}=off keeps them."
        ),
    )


def _broken(found: Inspection) -> Iterator[Said]:
    if found.broken:
        share = len(found.broken) / found.found
        yield Said(
            "warning" if share >= 0.05 else "note",
            f"{len(found.broken):,} files ({percent(share)}) cannot be decoded and are passed over. If there are "
            "many, a download or a copy was probably cut short.",
        )


def _all(share: float) -> str:
    return "All pictures are" if share == 1 else f"{percent(share)} of the pictures are"


def _listed(names: list[str], most: int = 4) -> str:
    told = names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1:,} more"]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _quoted(word: str) -> str:
    return shlex.quote(word)
