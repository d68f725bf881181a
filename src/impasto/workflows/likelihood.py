"""How likely each picture is to be rejected too, learnt from those that a person has judged.

A logistic regression on features of the pictures: of a network where there is one, else of small
thumbnails, and in both cases of what was measured when the set was prepared. It is fitted on judged
pictures only and asked about the others in blocks, so that memory is bounded however many there are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from impasto.data.layout import Arrays

Look = Callable[[Int64[np.ndarray, " n"]], Float32[np.ndarray, "n d"]]
Report = Callable[[int, int], None]

FEWEST = 20  # pictures of each kind; with fewer, cross-validation says nothing
MOST = 4_000  # pictures of each kind that are learnt from: more change little and take long
THUMBNAIL = 12  # pixels: enough for composition and colour, too few for the particular picture
FOLDS = 5
# Inverse strength of the penalty, for features of unit variance, times their number: so it means the
# same for few features and for many. With 30 rejects and 300 others of a set of cats, 1 to 1,000 were
# tried on three kinds of flaws, and 10 was best or within 0.015 of the best AUROC each time.
FREEDOM = 10.0
_BLOCK = 2_048  # pictures looked at together


@dataclass(frozen=True)
class Learnt:
    """What was learnt, and how far to trust it."""

    odds: Float32[np.ndarray, " slots"]  # logarithm of the odds; nan where nobody asked
    auroc: float  # of pictures that the fit had not seen: 1 is perfect, 0.5 a coin
    spread: float  # its standard deviation over the folds
    rejected: int
    passed: int


def learn(
    look: Look,
    rejected: Int64[np.ndarray, " r"],
    passed: Int64[np.ndarray, " p"],
    asked: Int64[np.ndarray, " a"],
    *,
    slots: int,
    report: Report | None = None,
) -> Learnt:
    """How likely pictures are to be rejected, from those that were and those that were not.

    Args:
        look: the features of the pictures in some slots.
        rejected: slots that a person left out; at least `FEWEST`.
        passed: slots that a person kept, or looked at and did not reject; at least `FEWEST`.
        asked: slots to answer for.
        slots: how many there are in all.
        report: told how many pictures are done, of how many; may raise to end it.
    """
    # Imported late: a page that learns nothing should open without the seconds that these take.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rejected, passed = _thinned(rejected), _thinned(passed)
    known = np.concatenate([rejected, passed])
    answers = np.repeat([1, 0], [len(rejected), len(passed)])
    features = np.concatenate([look(block) for block in _blocks(known)])
    model = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=FREEDOM / features.shape[1], class_weight="balanced", max_iter=1_000),
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    scores = cross_val_score(model, features, answers, cv=folds, scoring="roc_auc")
    model.fit(features, answers)
    scaler, regression = model[0], model[1]
    weights = (regression.coef_[0] / scaler.scale_).astype(np.float32)
    offset = float(regression.intercept_[0] - scaler.mean_ @ (regression.coef_[0] / scaler.scale_))
    odds = np.full(slots, np.nan, np.float32)
    done = 0
    for block in _blocks(asked):
        odds[block] = look(block) @ weights + offset
        done += len(block)
        if report is not None:
            report(done, len(asked))
    return Learnt(odds, float(scores.mean()), float(scores.std()), len(rejected), len(passed))


def thumbnails(arrays: Arrays) -> Look:
    """Features where no network is at hand: a thumbnail of each picture, and its measures."""
    ranks = _ranks(arrays.measures)

    def look(slots: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n d"]:
        small = _shrunk(arrays.pixels[slots])
        return np.concatenate([small.reshape(len(slots), -1), ranks[slots]], axis=1)

    return look


def networks(arrays: Arrays, features: np.ndarray) -> Look:
    """Features of a network, kept beside the set, and the measures.

    Args:
        arrays: of the set.
        features: a row for each slot, mapped.
    """
    ranks = _ranks(arrays.measures)

    def look(slots: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n d"]:
        rows = np.nan_to_num(features[slots].astype(np.float32))
        return np.concatenate([rows, ranks[slots]], axis=1)

    return look


def _ranks(measures: Float32[np.ndarray, "slots m"]) -> Float32[np.ndarray, "slots m"]:
    """Each measure as its rank among all, in [0, 1], so that no scale matters; unknown is a half."""
    ranks = np.full(measures.shape, 0.5, np.float32)
    for column, values in enumerate(measures.T):
        known = np.flatnonzero(~np.isnan(values))
        _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        if len(counts) > 1:
            middles = np.cumsum(counts) - (counts + 1) / 2
            ranks[known, column] = middles[place] / (len(known) - 1)
    return ranks


def _shrunk(pictures: UInt8[np.ndarray, "n h w c"]) -> Float32[np.ndarray, "n t t c"]:
    """Thumbnails by averaging over areas, in grey levels."""
    count, side, _, channels = pictures.shape
    small = min(THUMBNAIL, side)
    edges, pixels = np.linspace(0, side, small + 1), np.arange(side)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    average = (np.clip(covered, 0, None) * (small / side)).astype(np.float32)
    shrunk = np.empty((count, small, small, channels), np.float32)
    # So few at a time that they stay in the processor's cache: three times as fast.
    for start in range(0, count, 32):
        block = pictures[start : start + 32].astype(np.float32)
        rows = np.matmul(average, block.reshape(-1, side, side * channels))
        columns = np.matmul(average, rows.reshape(-1, side, channels))
        shrunk[start : start + 32] = columns.reshape(-1, small, small, channels)
    return shrunk


def _thinned(slots: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    """At most `MOST` of them, drawn evenly."""
    if len(slots) <= MOST:
        return slots
    return slots[np.linspace(0, len(slots) - 1, MOST).round().astype(np.int64)]


def _blocks(slots: Int64[np.ndarray, " n"]) -> list[Int64[np.ndarray, " m"]]:
    return [slots[start : start + _BLOCK] for start in range(0, len(slots), _BLOCK)]
