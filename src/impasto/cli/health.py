"""What a look at some pictures found, as text for a terminal: the facts, then what to make of them."""

import re
import shutil
import textwrap
from typing import Any

MOST_ROWS = 10  # of a list that may be long
MOST_CATEGORIES = 12  # on a line
EXAMPLES = 3  # names for each reason
MARKS = {"good": "+", "note": "-", "warning": "!"}
_TIED = "\N{NO-BREAK SPACE}"  # within what is typed, so that it stays on one line
WIDEST = 110  # columns; longer lines are hard to read


def health(facts: dict[str, Any]) -> str:
    """What a source holds, in words."""
    lines = [f"{facts['source']}: {facts['pictures']:,} of {facts['found']:,} files are pictures"]
    if facts["credit"]:
        lines.append(facts["credit"])
    lines += [f"note: {notice}" for notice in facts["notices"]]
    if facts["sizes"]:
        lines += [_pixels(facts["sizes"]), _shapes(facts["aspects"])]
    for title, counts in {
        "kinds": facts["modes"],
        "classes": facts["classes"],
        **facts["attributes"],
    }.items():
        if counts:
            column = "class" if title == "classes" else title
            lines.append(f"{title}: {_counted(counts, facts['missing'].get(column, 0))}")
    lines += [_numbers(name, told) for name, told in facts["numbers"].items()]
    lines += _listed("broken", [f"{name}: {reason}" for name, reason in facts["broken"]])
    lines += _listed("exact duplicates", [" = ".join(names) for names in facts["duplicates"]])
    lines += _left_out(facts)
    lines += _measures(facts["measures"])
    lines += _advice(facts["advice"])
    return "\n".join(lines)


def _pixels(sizes: dict[str, Any]) -> str:
    sides = (_side(side, **sizes[side]) for side in ("width", "height"))
    commonest = ", ".join(
        f"{width}x{height} ({count:,})" for width, height, count in sizes["commonest"]
    )
    return f"pixels: {', '.join(sides)}; commonest: {commonest}"


def _side(name: str, *, smallest: int, median: float, largest: int) -> str:
    if smallest == largest:
        return f"{name} {smallest}"
    return f"{name} {smallest}-{largest} (median {median:g})"


def _shapes(aspects: dict[str, Any]) -> str:
    if aspects["square"] == 1:
        return "shapes: all square"
    commonest = ", ".join(f"{ratio:g} ({count:,})" for ratio, count in aspects["commonest"])
    beyond = f"; beyond 3:1 {aspects['beyond_three']:.1%}" if aspects["beyond_three"] else ""
    return (
        f"shapes: width over height {aspects['smallest']:g}-{aspects['largest']:g} (median {aspects['median']:g}); "
        f"commonest: {commonest}{beyond}"
    )


def _counted(counts: dict[str, int], missing: int) -> str:
    shown = list(counts.items())
    if len(shown) > MOST_CATEGORIES:
        shown = sorted(shown, key=lambda pair: -pair[1])[:MOST_CATEGORIES]
    words = [f"{name} {count:,}" for name, count in shown]
    if more := len(counts) - len(shown):
        words.append(f"and {more:,} more with at most {shown[-1][1]:,} each")
    if missing:
        words.append(f"unknown {missing:,}")
    return ", ".join(words)


def _numbers(name: str, told: dict[str, Any]) -> str:
    missing = f"; missing {told['missing']:,}" if told["missing"] else ""
    if told["median"] is None:
        return f"{name}: no numbers{missing}"
    return f"{name}: {told['smallest']:g}-{told['largest']:g} (median {told['median']:g}){missing}"


def _listed(title: str, rows: list[str]) -> list[str]:
    more = (
        [f"  and {len(rows) - MOST_ROWS:,} more; --json lists them all"]
        if len(rows) > MOST_ROWS
        else []
    )
    return [f"{title}: {len(rows):,}", *(f"  {row}" for row in rows[:MOST_ROWS]), *more]


def _left_out(facts: dict[str, Any]) -> list[str]:
    rules = "its rules" if facts["prepared"] else "the standard rules"
    counts = facts["rejected"]
    lines = [f"kept by {rules}: {facts['kept']:,}; left out: {sum(counts.values()):,}"]
    for kind, count in counts.items():
        examples = [name for name, _ in facts["examples"][kind][:EXAMPLES]]
        more = " ..." if count > len(examples) else ""
        lines.append(f"  {kind} {count:,}: {', '.join(examples)}{more}")
    return lines


def _measures(measures: dict[str, dict[str, Any]]) -> list[str]:
    if not measures:
        return []
    rows = [("measures", "5%", "half", "95% lie below", "")]
    rows += [
        (f"  {name}", *(f"{told[part]:.3g}" for part in ("low", "median", "high")), told["meaning"])
        for name, told in measures.items()
    ]
    return [
        f"{name:<12} {low:>7} {median:>7} {high:>7}  {meaning}".rstrip()
        for name, low, median, high, meaning in rows
    ]


def _advice(advice: list[dict[str, str]]) -> list[str]:
    width = min(WIDEST, shutil.get_terminal_size((100, 24)).columns)
    lines = ["", "what to make of them:"] if advice else []
    for said in advice:
        head = f"{MARKS[said['severity']]} {said['topic']}: "
        text = re.sub("`[^`]+`", lambda code: code[0].replace(" ", _TIED), said["text"])
        wrapped = textwrap.wrap(
            head + text,
            width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [line.replace(_TIED, " ") for line in wrapped]
    return lines
