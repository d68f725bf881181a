from dataclasses import replace

import pytest

from impasto.data.inspection.advice import advise, best_side
from impasto.data.inspection.census import balance_of
from impasto.data.inspection.facts import SIDES, Aspects, Inspection, Measured, Range, Sizes, Twins
from impasto.data.inspection.wording import all_are, listed, percent


def sizes(reached, bins=()):
    whole = Range(10, 100.0, 300)
    return Sizes(whole, whole, (), whole, dict(zip(SIDES, reached, strict=True)), bins)


def aspects(square=1.0, two=0.0, three=0.0, lost=0.0):
    return Aspects(0.5, 1.0, 2.0, (), square, two, three, lost, {})


FINE = Inspection(
    source="cats",
    credit=None,
    notices=(),
    found=8_000,
    pictures=8_000,
    kept=8_000,
    prepared=None,
    sizes=sizes((1, 1, 1, 0.2, 0, 0)),
    aspects=aspects(),
    modes={"RGB": 8_000},
    grey=0.0,
    shared=0.2,
    classes={},
    balance=None,
    attributes={},
    missing={},
    numbers={},
    duplicates=(),
    near_duplicates=Twins(0, ()),
    rejected={},
    examples={},
    broken=(),
    photographs=True,
    measures={},
)


def told(topic, **changes):
    """What is said on a topic: severities, and all sentences."""
    said = [advice for advice in advise(replace(FINE, **changes)) if advice.topic == topic]
    return [advice.severity for advice in said], " ".join(advice.text for advice in said)


def test_of_a_fine_set_nothing_bad_is_said():
    assert {said.topic: said.severity for said in advise(FINE)} == dict.fromkeys(
        ("amount", "framing", "resolution", "crop"), "good"
    )


@pytest.mark.parametrize(
    ("kept", "severity", "words"),
    [
        (0, "warning", "no picture"),
        (1, "warning", "1 picture"),
        (499, "warning", "by heart"),
        (1_500, "note", "1,500 pictures"),
        (4_000, "note", "usable"),
        (5_000, "good", "enough"),
        (60_000, "good", "plenty"),
    ],
)
def test_how_many_pictures_are_enough_for_what(kept, severity, words):
    severities, text = told("amount", kept=kept)
    assert severities == [severity]
    assert words in text


@pytest.mark.parametrize(
    ("reached", "best"),
    [
        ((1, 1, 1, 1, 1, 1), 256),
        ((1, 1, 1, 0.95, 0.89, 0), 96),
        ((0.9, 0.89, 0, 0, 0, 0), 28),
        ((0.5, 0, 0, 0, 0, 0), None),
    ],
)
def test_the_best_size_is_the_largest_that_nine_in_ten_reach(reached, best):
    assert best_side(dict(zip(SIDES, reached, strict=True))) == best


def test_resolution_names_the_size_and_what_lies_beyond():
    assert told("resolution")[1].startswith("All pictures are at least 64 pixels")
    assert "only 20% reach 96" in told("resolution")[1]
    assert "`--size 64`" in told("resolution")[1]
    _, large = told("resolution", sizes=sizes((1, 1, 1, 1, 0.93, 0)))
    assert "`--size 128`" in large
    assert "none 256" in large
    assert "Begin with `--size 64`" in large
    assert "4 times" in large
    _, largest = told("resolution", sizes=sizes((1,) * 6))
    assert "`--size 256`" in largest
    severities, none = told("resolution", sizes=sizes((0.5, 0, 0, 0, 0, 0)))
    assert severities == ["warning"]
    assert "50% of the pictures have 28" in none


def test_tiny_pictures_are_told_apart():
    bins = ((16, 24, 400), (24, 32, 80), (32, 48, 10), (64, 96, 7_510))
    severities, text = told("resolution", sizes=sizes((0.95, 0.94, 0.93, 0, 0, 0), bins))
    assert severities == ["good", "note"]
    assert "About 6%" in text


def test_crop_follows_the_shapes():
    assert told("crop", kept=900)[1].count("`random`") == 1
    severities, mixed = told("crop", aspects=aspects(square=0.3, lost=0.25))
    assert severities == ["note"]
    assert "leaves out 25%" in mixed
    severities, long = told("crop", aspects=aspects(square=0.1, two=0.4, three=0.1, lost=0.6))
    assert severities == ["warning"]
    assert "`--crop pad`" in long
    assert "3:1" in told("crop", aspects=aspects(square=0.5, two=0.1, three=0.1, lost=0.1))[1]


def test_framing_follows_what_all_have_in_common():
    assert told("framing", shared=0.06)[0] == ["note"]
    severities, mixed = told("framing", shared=0.01)
    assert severities == ["warning"]
    assert "`--subject cat-face`" in mixed
    assert told("framing", shared=0.01, kept=100_000)[0] == ["note"]
    assert told("framing", shared=0.9, kept=10) == ([], ""), "an average of ten says little"


def classed(**counts):
    return {"classes": counts, "balance": balance_of(counts)}


def test_rare_classes_are_named_with_their_numbers():
    severities, text = told("classes", **classed(neutral=6_713, joy=5_306, anger=227))
    assert severities == ["warning", "note"]
    assert "anger 227 (2%)" in text
    assert "`--classes neutral`" in text
    assert "2 of 3 classes have the 1,000" in text
    severities, text = told("classes", **classed(**{"black cats": 900, "b": 150, "c": 2}))
    assert severities == ["warning", "warning", "note"]
    assert "`--classes 'black cats'`" in text
    assert "Fewer than 200 pictures are in b and c" in text
    assert told("classes", **classed(a=3_000, b=3_000))[0] == ["good", "note"]
    assert "All 2 classes" in told("classes", **classed(a=3_000, b=3_000))[1]
    assert told("classes", **classed(a=3_000))[0] == [], "one class is none"


def test_grey_pictures():
    assert "`--channels 1`" in told("colour", grey=1.0)[1]
    assert told("colour", grey=1.0)[1].startswith("All pictures are grey")
    assert "20% of the pictures have no colour" in told("colour", grey=0.2)[1]
    assert told("colour", grey=0.01)[0] == []


def test_transparency():
    assert "25% may" in told("background", modes={"RGB": 6_000, "RGBA": 1_500, "LA": 500})[1]


def test_drawings_among_photographs():
    assert "12 as drawn" in told("style", rejected={"drawn": 10, "text": 2})[1]
    assert "Mostly drawings" in told("style", photographs=False)[1]


def test_copies_are_counted_without_the_one_that_is_kept():
    severities, text = told("duplicates", duplicates=(("a", "b", "c"), ("d", "e")))
    assert severities == ["note"]
    assert text.startswith("3 exact copies")
    severities, text = told("duplicates", near_duplicates=Twins(2_000, ()))
    assert severities == ["warning"]
    assert "2,000 near copies (25%)" in text
    assert "`--rules near_duplicate=off`" in text


def test_flaws_name_the_rule_that_leaves_out_most():
    severities, text = told("rejects", rejected={"too small": 900, "dark": 100, "duplicate": 5_000})
    assert severities == ["warning"]
    assert "1,000 (12%)" in text
    assert "`--rules too_small=off`" in text


def test_broken_files():
    assert told("pictures", broken=(("a", "b"),))[0] == ["note"]
    assert told("pictures", broken=(("a", "b"),) * 800)[0] == ["warning"]


def test_a_prepared_set_has_its_size():
    scale = Measured(2.0, 3.0, 4.0, "")
    severities, text = told("resolution", prepared=64, measures={"scale": scale})
    assert severities == ["good"]
    assert "`--size 128`" in text
    severities, text = told("resolution", prepared=64, measures={"scale": replace(scale, low=0.5)})
    assert severities == ["note"]
    assert "more than 5%" in text
    assert "64 pixels, for recipes" in told("resolution", prepared=64)[1]


def test_every_sentence_begins_and_ends_like_one():
    changes = {
        **classed(a=10, b=900),
        "kept": 300,
        "grey": 0.3,
        "modes": {"RGBA": 8_000},
        "rejected": {"dark": 9, "drawn": 1},
        "broken": (("a", "b"),),
        "duplicates": (("a", "b"),),
        "aspects": aspects(square=0.003, lost=0.3, three=0.001),
        "photographs": False,
    }
    said = advise(replace(FINE, **changes))
    assert len(said) > 10
    for advice in said:
        assert advice.text[0] == advice.text[0].upper()
        assert advice.text[-1] in ".)"
        assert advice.text.count("`") % 2 == 0


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0%"), (0.001, "less than 1%"), (0.5, "50%"), (0.999, "more than 99%"), (1, "100%")],
)
def test_shares_are_never_rounded_to_nothing_or_all(share, words):
    assert percent(share) == words


def test_lists_end_where_they_get_long():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(list("abcdef")) == "a, b, c and 3 more"
    assert all_are(0.5) == "50% of the pictures are"
