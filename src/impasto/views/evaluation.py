"""Scores told to a person in one HTML page: numbers with their errors, and the likeliest copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import UInt8

from impasto.sheets import encode_png, tile
from impasto.views.gallery import pair_gallery
from impasto.views.page import caption, notices, picture, render_page, section, sentence
from impasto.views.sheet import enlarge


@dataclass(frozen=True, kw_only=True)
class EvaluationFacts:
    """All that the page tells, as plain values.

    Attributes:
        against: the real pictures, in words.
        scores: title, value with error, and which way is better, of each.
        among: whether copies were looked for among the pictures it was trained on, or any real ones.
        threshold: distance below which hardly any real picture lies to one of them.
        generated: some samples.
        copies: the samples likeliest to be copies, the likeliest first.
        originals: the real picture nearest to each.
        distances: between the two.
    """

    what: str
    against: str = "real ones"
    credit: str
    scores: Sequence[tuple[str, str, str]]
    protocol: str
    advice: Sequence[str]
    verdict: str
    caught: bool
    among: str
    threshold: float
    generated: UInt8[np.ndarray, "n h w c"]
    copies: UInt8[np.ndarray, "k h w c"]
    originals: UInt8[np.ndarray, "k h2 w2 c2"]
    distances: Sequence[float]


def render_evaluation(facts: EvaluationFacts) -> str:
    """The scores as one HTML page."""
    said = "Trained on" if facts.among == "training" else "Real pictures"
    credit = f"{said}: {facts.credit.rstrip('.')}." if facts.credit else ""
    opening = f"""<header>
<p class="kicker">Scores</p>
<h1>{escape(facts.what)}</h1>
<p class="lead">How its pictures compare with {escape(facts.against)}.</p>
</header>
"""
    some = encode_png(tile(enlarge(facts.generated)))
    below = caption(f"{len(facts.generated):,} of those that were scored.", credit)
    body = (
        opening
        + section("Scores", _scores(facts))
        + section("Is it copying?", _copies(facts, credit))
        + section("Some of the pictures", picture(some, "Generated pictures", below))
    )
    return render_page(f"Scores of {facts.what}", body, "health.css", "scores.css")


def _scores(facts: EvaluationFacts) -> str:
    rows = "".join(
        f"<tr><th>{escape(title)}<small>{escape(better)} is better</small></th><td>{escape(value)}</td></tr>\n"
        for title, value, better in facts.scores
    )
    taken = caption(f"Each with its standard error. Taken by: {facts.protocol}.")
    table = (
        f'<figure class="wide"><div><table class="scores">\n{rows}</table></div>{taken}</figure>\n'
    )
    return table + notices(facts.advice)


def _copies(facts: EvaluationFacts, credit: str) -> str:
    pairs = [
        ((copy, "generated"), (original, f"{facts.among} picture"))
        for copy, original in zip(facts.copies, facts.originals, strict=True)
    ]
    captions = [
        f"<b>distance {far:.3f}</b>{'closer than reals' if far < facts.threshold else 'no closer than reals'}"
        for far in facts.distances
    ]
    about = (
        f"Each pair: a generated picture, and the {facts.among} picture nearest to it in feature space. The likeliest "
        "copies come first: those nearest, or much nearer to this one picture than to any other. Of real pictures "
        f"that it never saw, one in a hundred comes closer than {facts.threshold:.3f}."
    )
    verdict = escape(sentence(facts.verdict.removeprefix("memorisation: ")))
    marked = f'<ul class="notices"><li>{verdict}</li></ul>' if facts.caught else f"<p>{verdict}</p>"
    return f"{marked}\n<p>{escape(about)}</p>\n{pair_gallery(pairs, captions)}{caption(credit)}"
