import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from impasto.events import Event, Noticed, Scored, Started, Tick
from impasto.views.curves import (
    MOST_POINTS,
    colours_of,
    count,
    draw_beside,
    draw_curves,
    lasting,
    scored,
    series,
    thin,
)


def tick(images: int, **scalars: float) -> Tick:
    return Tick(images, 0.5, images / 100, 100.0, 10.0, scalars)


def started(images: int) -> Started:
    return Started(images, "run", "dcgan", 100, 10, "1 minutes", "cpu", 1, "32-true", {})


def ticks(number: int, *names: str) -> list[Event]:
    rng = np.random.default_rng(0)
    return [tick(64 * i, **{name: float(rng.random()) for name in names}) for i in range(1, number)]


def test_thinning_keeps_the_mean_and_the_order():
    x, y = np.arange(8000.0), np.random.default_rng(0).normal(3, 1, 8000)
    thin_x, thin_y = thin(x, y)
    assert len(thin_x) == len(thin_y) == MOST_POINTS
    assert thin_y.mean() == pytest.approx(y.mean())
    assert thin_x.mean() == pytest.approx(x.mean())
    assert (np.diff(thin_x) > 0).all()
    np.testing.assert_allclose(thin_y[0], y[:20].mean())


def test_few_points_stay_as_they_are():
    x, y = np.array([1.0, 2.0, 5.0]), np.array([3.0, 1.0, 2.0])
    assert [list(values) for values in thin(x, y)] == [list(x), list(y)]


def test_images_lived_through_twice_are_told_once():
    events = [
        started(0),
        *(tick(images, a_loss=0.0) for images in (100, 200, 300)),
        started(150),  # killed, and resumed from a state saved before
        Noticed(160, "back"),
        tick(250, a_loss=1.0),
    ]
    assert [(t.images_seen, t.scalars["a_loss"]) for t in lasting(events)] == [(100, 0), (250, 1)]


def test_a_repeated_tick_replaces_the_first():
    assert [t.scalars for t in lasting([tick(100, a=0.0), tick(100, a=1.0)])] == [{"a": 1.0}]


def test_values_that_are_not_finite_are_left_out():
    lines = series([tick(1, a_loss=1.0), tick(2, a_loss=math.nan), tick(3, a_loss=math.inf)])
    assert list(lines["a_loss"][0]) == [1.0]


def test_figures_follow_the_ends_of_names_and_no_family():
    figures = draw_curves(ticks(9, "encoder_loss", "reconstruction_loss", "encoder_learning_rate"))
    assert list(figures) == ["losses", "learning_rates"]
    assert "encoder" in texts(figures["losses"])
    assert "reconstruction" in texts(figures["losses"])


def test_a_scalar_of_no_kind_is_drawn_if_it_moves():
    events = [tick(i, temperature=i / 10, skipped_steps=0.0) for i in range(1, 9)]
    figures = draw_curves(events)
    assert list(figures) == ["temperature"]
    assert "Temperature" in texts(figures["temperature"])


def test_scores_are_named_in_plain_words_on_their_whole_range():
    figure = draw_curves(ticks(9, "real_score", "fake_score_before", "held_out_score"))["scores"]
    words = texts(figure)
    assert {"on real pictures", "on generated, before its step", "0", "1"} <= set(words)


@pytest.mark.parametrize("events", [[], [started(0)], [tick(0)]])
def test_nothing_told_is_nothing_drawn(events):
    assert draw_curves(events) == {}


@pytest.mark.parametrize("value", [0.0, -3.0, 5.0])
def test_a_single_flat_tick_can_be_drawn(value):
    names = ("a_loss", "real_score", "a_gradient_norm", "a_learning_rate")
    assert len(draw_curves([tick(64, **dict.fromkeys(names, value))])) == 4


def test_an_early_spike_does_not_press_the_rest_flat():
    events = [tick(i, a_loss=300.0 if i == 2 else 1 + i % 2) for i in range(1, 200)]
    figure = draw_curves(events)["losses"]
    assert "highest: 300" in texts(figure)
    assert "300" not in texts(figure)


def test_a_long_run_is_a_small_file():
    figures = draw_curves(ticks(20_000, "generator_loss", "discriminator_loss"))
    assert len(figures["losses"]) < 40_000


def test_drawing_again_gives_the_same_bytes():
    events = ticks(99, "generator_loss", "a_gradient_norm")
    assert draw_curves(events) == draw_curves(events)


def test_figures_can_stand_on_one_page():
    figures = draw_curves(ticks(99, "a_loss", "real_score", "a_gradient_norm", "a_learning_rate"))
    names = [re.findall(r' id="([^"]+)"', figure.decode()) for figure in figures.values()]
    flat = [name for each in names for name in each]
    assert len(flat) == len(set(flat))
    for figure, own in zip(figures.values(), names, strict=True):
        text = figure.decode()
        assert set(re.findall(r"#(p[0-9a-f]{8,})", text)) <= set(own)
        assert "currentColor" in text
        assert "<style" not in text  # it would dress the whole page


@pytest.mark.parametrize(
    ("images", "words"),
    [(0, "0"), (999, "999"), (1000, "1k"), (12_300, "12.3k"), (1_280_000, "1.28M"), (3e9, "3G")],
)
def test_counts_are_short(images, words):
    assert count(images) == words


def texts(figure: bytes) -> list[str]:
    root = ET.fromstring(figure)
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def strokes(figure: bytes) -> list[str]:
    return re.findall(r"stroke: (#[0-9a-f]{6})", figure.decode())


def test_runs_share_axes_and_keep_their_colours():
    runs = [ticks(9, "a_loss", "b_loss"), ticks(9, "b_loss"), ticks(9, "a_loss", "c_loss")]
    figures = draw_beside(runs)
    colours = [colour for colour, _ in colours_of(3)]
    assert list(figures) == ["a_loss", "b_loss"], "one run alone compares with nothing"
    assert strokes(figures["a_loss"].svg) == [colours[0], colours[2]]
    assert strokes(figures["b_loss"].svg) == [colours[0], colours[1]]


def test_figures_of_runs_have_a_title_and_no_names():
    (figure,) = draw_beside([ticks(9, "real_score"), ticks(9, "real_score")]).values()
    assert figure.leading
    assert "Discriminator's score of real pictures" in texts(figure.svg)
    assert "on real pictures" not in texts(figure.svg)
    assert "currentColor" in figure.svg.decode()


def test_what_never_changes_in_any_run_is_left_out_and_what_differs_is_not():
    same = [[tick(i, skipped=0.0) for i in range(1, 9)]] * 2
    assert draw_beside(same) == {}
    differ = [[tick(i, skipped=value) for i in range(1, 9)] for value in (0.0, 1.0)]
    assert [figure.leading for figure in draw_beside(differ).values()] == [False]


def test_a_score_and_a_signal_of_one_name_are_two_figures():
    runs = [
        [tick(100, diversity=0.1), tick(200, diversity=0.2)]
        + [
            Scored(images, {"diversity": {"value": images / 9}}, best=False, seconds=1.0)
            for images in (200, 100, 200)
        ]
    ] * 2
    assert list(scored(runs[0])["diversity"][0]) == [100.0, 200.0]
    figures = draw_beside(runs)
    assert {name: figure.leading for name, figure in figures.items()} == {
        "metric_diversity": True,
        "diversity": False,
    }
    names = [re.findall(r' id="([^"]+)"', figure.svg.decode()) for figure in figures.values()]
    flat = [name for each in names for name in each]
    assert len(flat) == len(set(flat))


def test_many_runs_can_be_told_apart():
    assert len(set(colours_of(18))) == 18
