"""Counts as bars, in a table that a page can hold and a screen reader can read."""

from collections.abc import Mapping
from html import escape

from impasto.views.page import folded

MOST_BARS = 40  # of the categories of a column


def categories(counts: Mapping[str, int]) -> str:
    """Bars; of very many, the longest, and the others folded."""
    if len(counts) <= MOST_BARS:
        return bars(counts)
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    rest = folded(f"{len(counts) - MOST_BARS:,} more", bars(dict(ordered[MOST_BARS:])))
    return bars(dict(ordered[:MOST_BARS])) + rest


def bars(counts: Mapping[str, int | tuple[float, str]]) -> str:
    """A bar for each name, the longest as wide as there is room; counts, or values and their words."""
    told = {
        name: count if isinstance(count, tuple) else (count, f"{count:,}")
        for name, count in counts.items()
    }
    longest = max((value for value, _ in told.values()), default=0) or 1
    kind = ' class="long"' if any(len(name) > 24 for name in told) else ""
    rows = "".join(
        f"<tr><th{kind}>{escape(name)}</th>"
        f"<td>{_bar(value / longest)}</td><td>{escape(words)}</td></tr>\n"
        for name, (value, words) in told.items()
    )
    return f'<table class="bars">\n{rows}</table>\n'


def card(title: str, counts: Mapping[str, int | tuple[float, str]]) -> str:
    """Bars on a card of their own, under a title."""
    return f'<div class="card"><h3>{escape(title)}</h3>{bars(counts)}</div>\n'


def _bar(share: float) -> str:
    return f'<i style="width:{100 * share:.3g}%"></i>' if share else ""
