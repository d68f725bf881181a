"""What a look at some pictures found, told to a person in one HTML page that stands alone."""

import re
from collections.abc import Callable, Sequence
from html import escape

from impasto.data.inspection.facts import Inspection
from impasto.data.looks.likeness import HASH_BYTES
from impasto.sheets import encode_png, tile
from impasto.views.bars import card, categories
from impasto.views.gallery import gallery, pair_gallery
from impasto.views.page import (
    caption,
    folded,
    many,
    numbers,
    picture,
    render_page,
    section,
    table,
)
from impasto.views.sheet import enlarge

COLUMNS = 8  # of the sheet of kept pictures
LISTED = 1_000  # names in a list; all of them are in the JSON

_KINDS = {  # what the kinds of reasons mean, for those who meet them for the first time
    "too small": "Enlarged, they would be soft.",
    "odd aspect": "So long or tall that a square shows little of them.",
    "dark": "Nearly black.",
    "uniform": "Nearly one flat colour.",
    "blurred": "Without fine detail.",
    "text": "Look like text, charts or screenshots among photographs.",
    "drawn": "Look drawn among photographs.",
    "duplicate": "The same file as one that is kept.",
    "near duplicate": "Look like one that is kept.",
    "outlier": "Unlike all the others.",
    "no subject": "What was looked for was not found in them.",
    "by hand": "Left out by a person.",
}


def render_health(found: Inspection) -> str:
    """The page: the pictures, advice, sizes, classes, what is left out and why."""
    sections: list[Callable[[Inspection], str]] = [
        _advice,
        _sizes,
        _classes,
        _attributes,
        _left_out,
        _twins,
        _copies,
        _measures,
        _broken,
    ]
    body = _opening(found) + "".join(tell(found) for tell in sections)
    return render_page(f"{_named(found)}: a look at the pictures", body, "health.css")


def _named(found: Inspection) -> str:
    """The source without the folders above it: a page is sent to friends."""
    return found.source.replace("\\", "/").rstrip("/").rpartition("/")[2] or found.source


def _rules(found: Inspection) -> str:
    return "the rules it was prepared with" if found.prepared else "the standard rules"


def _opening(found: Inspection) -> str:
    tiles = {
        "files": f"{found.found:,}",
        "pictures": f"{found.pictures:,}",
        "kept": f"{found.kept:,}",
    }
    if found.prepared:
        tiles["pixels, prepared"] = f"{found.prepared}"
    if found.sizes:
        short = found.sizes.short
        ends = f"{short.smallest:,} to {short.largest:,}"
        tiles["pixels, short side"] = (
            f"{short.smallest:,}" if short.smallest == short.largest else ends
        )
    if found.classes:
        tiles["classes"] = f"{len(found.classes):,}"
    return f"""<header>
<p class="kicker">A look at the pictures</p>
<h1>{escape(_named(found))}</h1>
<p class="lead">{found.pictures:,} of {many(found.found, "file")} can be decoded, and {_rules(found)} keep
{found.kept:,}.</p>
</header>
{_look(found)}
{numbers(tiles)}
{_notices(found)}
"""


def _notices(found: Inspection) -> str:
    items = "".join(f"<li>{escape(notice)}</li>" for notice in found.notices)
    return f'<ul class="notices">{items}</ul>' if items else ""


def _look(found: Inspection) -> str:
    shown = found.shown
    if shown is None or shown.mean is None:
        return ""
    columns = min(COLUMNS, len(shown.some))
    sheet = picture(
        encode_png(tile(enlarge(shown.some), columns)),
        "Some of the pictures",
        caption(f"{len(shown.some):,} of those kept, drawn evenly.", _credit(found)),
    )
    mean = picture(
        encode_png(enlarge(shown.mean[None], 256)[0]),
        "The average picture",
        caption(
            f"The average of {shown.averaged:,}. A shape means that they are framed alike; grey fog means "
            "that they are mixed.",
            _credit(found),
        ),
    )
    return f'<div class="look">{sheet}{mean}</div>'


def _advice(found: Inspection) -> str:
    items = "".join(
        f'<li class="{escape(said.severity)}"><b>{escape(said.topic.capitalize())}'
        f"<small>{escape(said.severity)}</small></b>"
        f"<span>{_coded(said.text.replace(found.source, _named(found)))}</span></li>\n"
        for said in found.advice
    )
    return section("What to make of them", f'<ul class="advice">\n{items}</ul>' if items else "")


def _coded(text: str) -> str:
    """The text as HTML, with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _sizes(found: Inspection) -> str:
    sizes, aspects = found.sizes, found.aspects
    if sizes is None or aspects is None:
        return ""
    commonest = ", ".join(f"{w}x{h} ({count:,})" for w, h, count in sizes.commonest)
    kinds = ", ".join(f"{mode} {count:,}" for mode, count in found.modes.items())
    reached = {
        f"{side} pixels": (share * found.pictures, f"{share:.0%}")
        for side, share in sizes.reached.items()
    }
    short = {
        (f"{first:,} and more" if below > 10_000 else f"{first:,} to {below - 1:,}"): count
        for first, below, count in sizes.bins
    }
    cards = [
        card("Short side at least", reached),
        card("Short side in pixels", short),
        card("Width over height", aspects.bins),
    ]
    about = f"<p>Commonest, in pixels: {escape(commonest)}. Kinds of pixels: {escape(kinds)}.</p>"
    return section("Sizes and shapes", f'{about}\n<div class="cards">{"".join(cards)}</div>')


def _classes(found: Inspection) -> str:
    if not found.classes:
        return ""
    told = []
    if balance := found.balance:
        told.append(f"As varied as {balance.effective:g} classes of one size.")
        if balance.ratio:
            told.append(f"The largest has {balance.ratio:g} times the pictures of the smallest.")
    if unknown := found.missing.get("class"):
        told.append(f"{many(unknown, 'picture')} without a class.")
    words = f"<p>{' '.join(told)}</p>\n" if told else ""
    return section("Classes", words + categories(found.classes))


def _attributes(found: Inspection) -> str:
    parts = [
        folded(_missing(name, found.missing.get(name, 0)), categories(counts))
        for name, counts in found.attributes.items()
    ]
    if found.numbers:
        rows = [
            (
                name,
                "all missing"
                if told.median is None
                else f"{told.smallest:g} to {told.largest:g}, median {told.median:g}"
                + (f"; {told.missing:,} missing" if told.missing else ""),
            )
            for name, told in found.numbers.items()
        ]
        parts.append(table(rows))
    return section("Labels", "".join(parts))


def _missing(name: str, missing: int) -> str:
    return f"{name} ({missing:,} missing)" if missing else name


def _left_out(found: Inspection) -> str:
    shown = found.shown
    if shown is None:
        return ""
    parts = [
        f"<h3>{escape(kind.capitalize())} <small>{found.rejected[kind]:,}. "
        f"{escape(_KINDS.get(kind, ''))}</small></h3>\n" + gallery(images, found.examples[kind])
        for kind, images in shown.rejects.items()
    ]
    about = f"<p>Left out by {_rules(found)}; nothing is deleted. Of many, some are shown, drawn evenly.</p>"
    credit = caption(_credit(found))
    return section("Left out", about + "".join(parts) + credit if parts else "")


def _twins(found: Inspection) -> str:
    twins, shown = found.near_duplicates, found.shown
    if shown is None or not twins.pairs:
        return ""
    pairs = [
        ((left, out), (right, kept))
        for (left, right), (out, kept, _) in zip(shown.twins, twins.pairs, strict=True)
    ]
    captions = [
        f'<b title="{escape(out)}">{escape(out)}</b>like <b title="{escape(kept)}">{escape(kept)}</b>'
        f"{many(bits, 'bit')} of {8 * HASH_BYTES} differ"
        for out, kept, bits in twins.pairs
    ]
    about = (
        f"<p>{many(twins.count, 'picture')} left out for looking like one that is kept: on the left what goes, "
        "on the right what stays.</p>\n"
    )
    body = f"{about}{pair_gallery(pairs, captions)}{caption(_credit(found))}"
    return section("Near duplicates", body)


def _copies(found: Inspection) -> str:
    if not found.duplicates:
        return ""
    rows = [(names[0], ", ".join(names[1:])) for names in found.duplicates]
    copies = sum(len(names) - 1 for names in found.duplicates)
    title = f"{many(copies, 'file')} with the content of another"
    return section("Exact duplicates", folded(title, _listed(rows)))


def _measures(found: Inspection) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}<small>{escape(told.meaning)}</small></th>"
        f"<td>{told.low:.3g}</td><td>{told.median:.3g}</td><td>{told.high:.3g}</td></tr>\n"
        for name, told in found.measures.items()
    )
    body = f"""<p>The values that 5, 50 and 95 in 100 pictures lie below.</p>
<div class="table"><table class="measures">
<thead><tr><td></td><th>5%</th><th>half</th><th>95%</th></tr></thead>
<tbody>
{rows}</tbody></table></div>"""
    return section("Measures", body if rows else "")


def _broken(found: Inspection) -> str:
    title = f"{many(len(found.broken), 'file')} that cannot be decoded"
    return section("Broken", folded(title, _listed(found.broken)) if found.broken else "")


# Parts ----------------------------------------------------------------------------------------


def _credit(found: Inspection) -> str:
    return f"Pictures: {found.credit.rstrip('.')}." if found.credit else ""


def _listed(rows: Sequence[tuple[str, str]]) -> str:
    more = (
        f"<p>and {len(rows) - LISTED:,} more; --json lists them all</p>"
        if len(rows) > LISTED
        else ""
    )
    return table(rows[:LISTED]) + more
