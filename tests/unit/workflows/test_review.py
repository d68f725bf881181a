import io
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sets import logged, numbered, write_set

from impasto.data.decisions import read_decisions
from impasto.data.prepared import Prepared
from impasto.errors import SourceError
from impasto.workflows.history import History
from impasto.workflows.review import MOST, Review

KINDS = {2: "blurred", 3: "dark", 5: "damaged", 7: "blurred"}  # nothing can be shown of slot 5


@pytest.fixture
def home(tmp_path):
    sharpness = np.array([3, np.nan, 1, 4, 1, np.nan, 9, 2, 6, 5], np.float32)
    brightness = np.full(10, 100, np.float32)
    measures = {"sharpness": sharpness, "brightness": brightness}
    return write_set(tmp_path / "set", numbered(10), kinds=KINDS, measures=measures)


@pytest.fixture
def review(home):
    with Review.open(home) as review:
        yield review


def slots(review, **words):
    return review.view(**words).slots.tolist()


# Views ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kept", [0, 1, 4, 6, 8, 9]),
        ("rejected", [2, 3, 7]),
        ("all", [0, 1, 2, 3, 4, 6, 7, 8, 9]),
        ("blurred", [2, 7]),
        ("dark", [3]),
        ("by-hand", []),
        ("undecided", [0, 1, 2, 3, 4, 6, 7, 8, 9]),
    ],
)
def test_filters(review, name, expected):
    assert slots(review, filter=name) == expected


def test_filters_heed_what_a_person_decided(review):
    review.turn([0, 1], keep=False)
    review.turn([2], keep=True)
    assert slots(review, filter="kept") == [2, 4, 6, 8, 9]
    assert slots(review, filter="blurred") == [7]
    assert slots(review, filter="by hand") == [0, 1]
    assert slots(review, filter="by-hand") == [0, 1, 2]
    assert slots(review, filter="undecided") == [3, 4, 6, 7, 8, 9]
    counts = review.counts()
    assert (counts.kept, counts.rejected, counts.by_hand, counts.rejected_by_hand) == (5, 4, 3, 2)
    assert counts.filters["by hand"] == 2
    assert counts.filters["blurred"] == 1


def test_sorts_put_the_unknown_last_and_ties_in_order(review):
    assert slots(review, filter="all", sort="sharpness-up") == [2, 4, 7, 0, 3, 9, 8, 6, 1]
    assert slots(review, filter="all", sort="sharpness-down") == [6, 8, 9, 3, 0, 7, 2, 4, 1]


def test_only_measures_that_tell_pictures_apart_can_be_sorted_by(review):
    assert {"source", "sharpness-up", "sharpness-down"} <= set(review.sorts)
    assert not {"brightness-up", "score-up"} & set(review.sorts)
    with pytest.raises(SourceError, match="sort brightness-up: "):
        review.view(sort="brightness-up")
    with pytest.raises(SourceError, match="filter blured: did you mean blurred"):
        review.view(filter="blured")
    with pytest.raises(SourceError, match="nothing is learnt yet"):
        review.view(sort="likeliest")


def test_a_view_stays_as_it_is_until_it_is_asked_for_anew(review):
    before = review.view()
    assert review.view() is before
    review.turn([4], keep=False)
    assert review.find_view(before.number).slots.tolist() == [0, 1, 4, 6, 8, 9]
    assert review.page(before, 2, 1)[0].kept is False
    after = review.view()
    assert after.number != before.number
    assert after.slots.tolist() == [0, 1, 6, 8, 9]


def test_old_views_are_forgotten(review):
    first = review.view()
    for _ in range(8):
        review.turn([0], keep=not review.page(first, 0, 1)[0].kept)
        review.view()
    assert review.find_view(first.number) is None


def test_pages_tell_what_there_is_to_know(review):
    view = review.view("all")
    one, two = review.page(view, 1, 2)
    assert (one.slot, one.name, one.kept, one.hand, one.rule) == (
        1,
        "folder/000001.png",
        True,
        None,
        None,
    )
    assert one.measures == {"brightness": 100.0}
    assert (two.slot, two.kept, two.rule, two.detail) == (2, False, "blurred", "found in 2")
    assert two.measures == {"sharpness": 1.0, "brightness": 100.0}
    assert two.likelihood is None
    assert review.page(view, 8, 5)[0].slot == 9
    assert review.page(view, 50, 5) == []


def test_pages_and_sprites_are_bounded(tmp_path):
    with Review.open(write_set(tmp_path / "set", numbered(3 * MOST))) as review:
        view = review.view()
        assert len(review.page(view, 0, 10**9)) == MOST
        sheet = Image.open(io.BytesIO(review.sprite(view, 0, 10**9, columns=16, side=8)))
        assert sheet.size == (16 * 8, MOST // 16 * 8)


def test_a_sprite_shows_the_pictures_of_its_page(review):
    view = review.view("all", "sharpness-down")
    sheet = Image.open(io.BytesIO(review.sprite(view, 1, 6, columns=4, side=8))).convert("RGB")
    assert sheet.size == (32, 16)
    for place, picture in enumerate(review.page(view, 1, 6)):
        colour = sheet.getpixel((place % 4 * 8 + 4, place // 4 * 8 + 4))
        assert colour[1] == pytest.approx(picture.slot, abs=2)
        assert colour[2] == pytest.approx(128, abs=3)
    assert sheet.getpixel((28, 12)) == (0, 0, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_sprites_shrink_without_mixing_neighbours(tmp_path, channels):
    pixels = np.zeros((4, 12, 12, channels), np.uint8)
    pixels[1::2] = 255
    with Review.open(write_set(tmp_path / "set", pixels)) as review:
        sheet = Image.open(io.BytesIO(review.sprite(review.view(), 0, 4, columns=2, side=8)))
        assert sheet.size == (16, 16)
        levels = np.asarray(sheet.convert("L"))
        assert levels[:, :8].max() < 5
        assert levels[:, 8:].min() > 250
        whole = Image.open(io.BytesIO(review.sprite(review.view(), 0, 4, columns=2, side=99)))
        assert whole.size == (24, 24), "never larger than they are"


def test_what_cannot_be_shown_is_listed_and_cannot_be_decided(review):
    assert review.invisible == {"damaged": 1}
    assert review.list_invisible(0, 10) == [("folder/000005.png", "damaged", "found in 5")]
    assert review.list_invisible(1, 10) == []
    with pytest.raises(SourceError, match=r"folder/000005.png: nothing of it was decoded"):
        review.turn([4, 5], keep=True)
    with pytest.raises(SourceError, match="slot 10: the set has slots 0 to 9"):
        review.decide([10], keep=True)
    with pytest.raises(SourceError, match="slot -1"):
        review.turn([-1], keep=False)
    assert review.counts().by_hand == 0


# Decisions --------------------------------------------------------------------------------------


def test_a_click_is_on_disk_and_in_the_set(review, home):
    assert review.turn([0, 4], keep=False) == [0, 4]
    assert read_decisions(home, 10) == {0: False, 4: False}
    assert Prepared.open(home).kept == 4
    assert review.turn([3], keep=True) == [3]
    assert Prepared.open(home).kept == 5
    assert review.said_of([0, 1, 3]) == [False, None, True]


def test_a_click_too_much_leaves_no_mark(review, home):
    review.turn([0], keep=False)
    assert review.turn([0], keep=True) == [0]
    assert read_decisions(home, 10) == {}
    review.turn([2], keep=True)
    review.turn([2], keep=False)
    assert read_decisions(home, 10) == {}


def test_saying_what_is_so_already_writes_nothing(review, home):
    assert review.turn([0, 1], keep=True) == []
    assert review.turn([2, 3], keep=False) == []
    assert not (home / "review.jsonl").exists()
    assert review.decide([0], keep=True) == [0], "unless it is said plainly"
    assert read_decisions(home, 10) == {0: True}


def test_a_stretch_of_mixed_pictures_is_one_step(review, home):
    review.turn([2], keep=True)
    review.decide([4], keep=True)
    assert review.turn([0, 2, 3, 4], keep=False) == [0, 2, 4]
    assert read_decisions(home, 10) == {0: False, 4: False}
    assert [line.get("step", "do") for line in logged(home)] == ["do", "do", "do", "also"]
    assert review.undo() == [0, 2, 4]
    assert read_decisions(home, 10) == {2: True, 4: True}


def test_undo_and_redo(review, home):
    review.turn([0], keep=False)
    review.turn([1, 3], keep=False)
    assert review.undo() == [1]
    assert read_decisions(home, 10) == {0: False}
    assert review.redo() == [1]
    assert read_decisions(home, 10) == {0: False, 1: False}
    assert [review.undo(), review.undo(), review.undo()] == [[1], [0], []]
    assert read_decisions(home, 10) == {}
    assert review.redo() == [0]
    review.turn([8], keep=False)
    assert review.redo() == [], "a new step ends what could be done again"
    assert (review.counts().undoable, review.counts().redoable) == (2, 0)


def test_decisions_and_undo_outlive_the_session(home):
    with Review.open(home) as review:
        review.turn([0], keep=False)
        review.turn([1], keep=False)
        review.turn([3], keep=True)
        review.undo()
        review.undo()
        review.redo()
    with Review.open(home) as review:
        assert slots(review, filter="by-hand") == [0, 1]
        counts = review.counts()
        assert (counts.undoable, counts.redoable) == (2, 1)
        assert review.redo() == [3]
        assert [review.undo(), review.undo(), review.undo()] == [[3], [1], [0]]
        assert slots(review, filter="by-hand") == []


WORDS = st.lists(
    st.one_of(
        st.just("undo"),
        st.just("redo"),
        st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, -1, 0])), min_size=1, max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(words=WORDS)
def test_a_history_told_again_is_the_same(tmp_path_factory, words):
    home = tmp_path_factory.mktemp("set")
    history, states, place = History(home, 5), [[0] * 5], 0
    for word in words:
        if word == "undo":
            history.undo()
            place = max(0, place - 1)
        elif word == "redo":
            history.redo()
            place = min(len(states) - 1, place + 1)
        else:
            said = dict(word)
            changed = history.do(np.array(list(said)), np.array(list(said.values()), np.int8))
            if len(changed):
                states = [*states[: place + 1], [said.get(i, states[place][i]) for i in range(5)]]
                place += 1
        assert history.said.tolist() == states[place]
        again = History(home, 5)
        assert again.said.tolist() == states[place]
        assert (again.undoable, again.redoable) == (place, len(states) - 1 - place)
        assert {i: w == 1 for i, w in enumerate(states[place]) if w} == read_decisions(home, 5)


def test_a_torn_line_is_cut_off(home):
    with Review.open(home) as review:
        review.turn([0], keep=False)
    with (home / "review.jsonl").open("a") as file:
        file.write('{"slots": [1], "ke')
    with Review.open(home) as review:
        assert slots(review, filter="by-hand") == [0]
        review.turn([4], keep=False)
    assert [line["slots"] for line in logged(home)] == [[0], [4]]


@pytest.mark.parametrize("line", ['{"slots": [10], "keep": true}', '{"slots": [1]}', "[]", "x"])
def test_a_line_that_is_no_decision_is_named(home, line):
    (home / "review.jsonl").write_text(f'{{"slots": [0], "keep": false}}\n{line}\n')
    with pytest.raises(SourceError, match=r"review.jsonl, line 2: not a decision"):
        Review.open(home)


def test_a_full_disk_changes_nothing(review, home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    review.turn([0], keep=False)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        review.turn([1], keep=False)
    with pytest.raises(OSError, match="No space left"):
        review.undo()
    assert slots(review, filter="by-hand") == [0]
    assert review.counts().undoable == 1
    assert read_decisions(home, 10) == {0: False}


# One at a time ----------------------------------------------------------------------------------


def test_a_second_review_is_refused_while_the_first_lasts(home):
    with Review.open(home):
        with pytest.raises(
            SourceError, match=rf"under review already \(by process {os.getpid()}\)"
        ):
            Review.open(home)
        script = f"from impasto.workflows.review import Review; Review.open({str(home)!r})"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert "is under review already" in done.stderr
    with Review.open(home) as again:
        assert again.counts().kept == 6


def test_what_is_no_set(tmp_path):
    with pytest.raises(SourceError, match="is not a prepared set"):
        Review.open(tmp_path)


def test_a_manifest_of_another_set(home):
    rows = (home / "pictures.jsonl").read_text().splitlines(keepends=True)
    (home / "pictures.jsonl").write_text("".join(rows[:-1]))
    with pytest.raises(SourceError, match=r"pictures.jsonl does not belong to its set"):
        Review.open(home)


# What was looked at, and what is learnt ---------------------------------------------------------


def test_what_was_looked_at_outlives_the_session(home):
    with Review.open(home) as review:
        view = review.view()
        review.see(view, 1, 3)
        assert slots(review, filter="new") == [0, 6, 8, 9]
        assert review.find_view(view.number).slots.tolist() == [0, 1, 4, 6, 8, 9]
    with Review.open(home) as review:
        assert review.counts().seen == 2
        assert slots(review, filter="new") == [0, 6, 8, 9]
    (home / "review-seen.npy").write_bytes(b"nonsense")
    with Review.open(home) as review:
        assert review.counts().seen == 0


FLAWED = range(0, 600, 10)


@pytest.fixture
def flawed(tmp_path):
    """Noise of which every tenth has a bright corner."""
    pixels = np.random.default_rng(0).integers(0, 200, (600, 12, 12, 3), dtype=np.uint8)
    pixels[FLAWED, :4, :4] = 250
    return write_set(tmp_path / "set", pixels, kinds={599: "damaged"})


def judge(review, count=240):
    view = review.view()
    review.see(view, 0, count)
    review.turn([slot for slot in FLAWED if slot < count], keep=False)


def test_learning_puts_what_is_flawed_first(flawed):
    with Review.open(flawed) as review:
        judge(review)
        review.learn()
        learnt = review.wait()
        assert learnt.phase == "ready", learnt.message
        assert (learnt.rejected, learnt.passed) == (24, 216)
        assert learnt.auroc > 0.99
        assert learnt.spread >= 0
        assert "thumbnails" in learnt.features
        others = [slot for slot in FLAWED if slot >= 240]
        assert sorted(slots(review, filter="kept", sort="likeliest")[: len(others)]) == others
        view = review.view("undecided", "likeliest")
        first, last = review.page(view, 0, 1)[0], review.page(view, len(view.slots) - 1, 1)[0]
        assert first.likelihood > 0.5 > last.likelihood
        odds = review._learner.odds
        unsure = slots(review, filter="all", sort="unsure")
        assert unsure == sorted(unsure, key=lambda slot: abs(odds[slot]))
        assert 599 not in unsure
        assert np.isnan(odds[599])


def test_learning_finds_nothing_where_there_is_nothing_to_find(flawed):
    with Review.open(flawed) as review:
        rng = np.random.default_rng(1)
        review.see(review.view(), 0, 300)
        review.turn(
            rng.choice(np.setdiff1d(range(300), FLAWED), 40, replace=False).tolist(), keep=False
        )
        review.learn()
        assert 0.3 < review.wait().auroc < 0.7


def test_learning_needs_enough_of_both(flawed):
    with Review.open(flawed) as review:
        with pytest.raises(SourceError, match="0 pictures are rejected by hand, and 0 looked at"):
            review.learn()
        review.turn(range(30), keep=False)
        with pytest.raises(SourceError, match="judge at least 20 of each"):
            review.learn()
        review.decide(range(30, 49), keep=True)
        review.see(review.view("all"), 0, 31)  # slots 0 to 30: of these only 30 is kept, and known
        with pytest.raises(SourceError, match="30 pictures are rejected by hand, and 19 looked at"):
            review.learn()
        review.decide([49], keep=True)
        review.learn()
        assert review.wait().phase == "ready"


class Corner:
    """An extractor that looks at one corner."""

    name, digest, dimensions = "corner", "0", 2

    def __init__(self):
        self.calls = 0

    def __call__(self, images):
        self.calls += 1
        corner = images[:, :4, :4].astype(np.float32).mean(axis=(1, 2, 3))
        return np.stack([corner, corner**0.5], axis=1)


def test_features_of_a_network_are_used_and_kept(flawed):
    extract = Corner()
    with Review.open(flawed, extract=extract) as review:
        assert "features of corner" in review.learning.features
        judge(review)
        review.learn()
        learnt = review.wait()
        assert learnt.phase == "ready", learnt.message
        assert learnt.auroc > 0.99
        assert extract.calls == 10
        assert np.load(flawed / "features.npy").shape == (600, 2)
        before = review.view(sort="likeliest")
        review.learn()
        review.wait()
        assert extract.calls == 10, "computed once"
        assert review.view(sort="likeliest") is not before, "learnt anew, ordered anew"


class Broken(Corner):
    def __call__(self, images):
        raise RuntimeError("no such kernel")


def test_learning_that_fails_says_why_and_can_be_tried_again(flawed):
    with Review.open(flawed, extract=Broken()) as review:
        judge(review)
        for _ in range(2):
            review.learn()
            learnt = review.wait()
            assert (learnt.phase, learnt.message) == ("failed", "RuntimeError: no such kernel")
        with pytest.raises(SourceError, match="nothing is learnt yet"):
            review.view(sort="likeliest")


def test_closing_ends_learning_and_keeps_the_features_done(flawed):
    class Slow(Corner):
        def __call__(self, images):
            review._learner._ending.set()  # as closing does, while it is at work
            return super().__call__(images)

    extract = Slow()
    review = Review.open(flawed, extract=extract)
    judge(review)
    review.learn()
    review.close()
    assert extract.calls == 1
    assert len(np.load(flawed / "features.npy")) == 64
    Review.open(flawed).close()
