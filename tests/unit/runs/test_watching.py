import math
from dataclasses import replace

import numpy as np
import pytest
import small
import torch
from small import kinds

import impasto
from impasto.diagnostics.case import Case, Facts
from impasto.diagnostics.finding import Finding
from impasto.errors import Diverged
from impasto.events import Diagnosed, Healed, Tick
from impasto.families.mlp_gan import MLPGAN
from impasto.runs.checkpoint import last_state
from impasto.runs.directory import Run
from impasto.runs.healing import LASTED, MOST, PATIENCE, Healer
from impasto.seeds import Streams
from impasto.workflows.examination import doctor


def start(to, *settings, steps=40, source="kittens:300", **options):
    return small.start(to, *settings, steps=steps, source=source, **options)


# Looks --------------------------------------------------------------------------------------


def test_signals_come_with_the_ticks_that_look(tmp_path):
    ticks = kinds(start(tmp_path / "run", "train.ticks=40", "train.looks=10"), Tick)
    looks = [tick.images_seen for tick in ticks if "diversity" in tick.scalars]
    assert looks == list(range(16, 161, 16))
    told = ticks[-1].scalars
    assert {
        "separation", "recognition", "diversity", "apartness", "energy_distance", "batch_leak",
        "grid_change", "saturation", "generator_dead_units", "generator_update_ratio", "copied",
    } <= told.keys()  # fmt: skip
    assert all(np.isfinite(list(told.values())))


def test_looking_does_not_change_the_weights(tmp_path):
    never = start(tmp_path / "never", "train.looks=0").finish()
    often = start(tmp_path / "often", "train.looks=40").finish()
    assert (never.sample(4) == often.sample(4)).all()


def test_without_looks_there_are_no_signals(tmp_path):
    ticks = kinds(start(tmp_path / "run", "train.looks=0"), Tick)
    assert not [tick for tick in ticks if "diversity" in tick.scalars]


# Findings -----------------------------------------------------------------------------------


def test_a_finding_is_told_when_it_comes(tmp_path):
    events = list(start(tmp_path / "run", "family.learning_rate=1e-8"))
    told = kinds(events, Diagnosed)
    assert [event.name for event in told if event.present] == ["learning rate too low"]
    assert told[0].settings == ["family.learning_rate=0.0001"]
    assert list(Run.open(tmp_path / "run").events()) == events


def test_a_doctor_tells_the_same_from_the_directory(tmp_path):
    events = list(start(tmp_path / "run", "family.learning_rate=1e-8"))
    found = doctor(tmp_path / "run")
    assert [spell.finding.name for spell in found.spells] == ["learning rate too low"]
    assert found.spells[0].first_seen == kinds(events, Diagnosed)[0].images_seen
    assert found.spells[0].present
    assert not found.well
    plain = found.to_plain()["findings"][0]
    assert {"name", "symptom", "cause", "remedy", "evidence", "settings"} <= plain.keys()


def test_few_pictures_leave_a_run_well(tmp_path):
    list(start(tmp_path / "run", source="kittens:60"))
    found = doctor(tmp_path / "run")
    assert "too few pictures" in [spell.finding.name for spell in found.spells]


def test_divergence_is_told_before_the_run_ends(tmp_path):
    told = []
    with pytest.raises(Diverged):
        told.extend(start(tmp_path / "run", "family.learning_rate=1e30"))
    events = list(Run.open(tmp_path / "run").events())
    assert [event.name for event in kinds(events, Diagnosed)] == ["divergence"]
    found = doctor(tmp_path / "run")
    assert [spell.finding.name for spell in found.spells] == ["divergence"]
    assert not found.well


# Healing ------------------------------------------------------------------------------------


def fragile(monkeypatch, above):
    """Steps fail above a rate, as if their gradients were not finite."""
    step = MLPGAN.step

    def brittle(self, batch, progress):
        told = step(self, batch, progress)
        return told | ({"skipped_steps": 1.0} if self.config.learning_rate > above else {})

    monkeypatch.setattr(MLPGAN, "step", brittle)


def test_a_run_that_diverges_heals_itself(tmp_path, monkeypatch):
    fragile(monkeypatch, above=2e-3)
    events = list(start(tmp_path / "run", "family.learning_rate=0.1", heal=True))
    healed = kinds(events, Healed)
    assert healed[0].finding == "divergence"
    assert healed[0].settings == ["family.learning_rate=0.0004"]
    assert healed[0].weights_of == 0
    assert events[-1].reason == "budget"


def test_a_run_that_cannot_be_healed_gives_up(tmp_path, monkeypatch):
    fragile(monkeypatch, above=1e-9)
    with pytest.raises(Diverged):
        list(start(tmp_path / "run", "family.learning_rate=100", heal=True))
    events = Run.open(tmp_path / "run").events()
    assert len(kinds(events, Healed)) == MOST


def test_a_rate_that_is_too_low_is_raised_and_the_state_knows(tmp_path):
    events = list(start(tmp_path / "run", "family.learning_rate=1e-8", steps=60, heal=True))
    healed = kinds(events, Healed)
    assert healed[0].lever == "speed up"
    state, _ = last_state(tmp_path / "run" / "state")
    assert state.changes == tuple(setting for event in healed for setting in event.settings)
    header = impasto.load(tmp_path / "run")
    assert header.provenance["images_seen"] == 240
    asked = Run.open(tmp_path / "run").config.family.learning_rate
    assert asked == 1e-8
    rates = [tick.scalars["generator_learning_rate"] for tick in kinds(events, Tick)]
    assert rates[-1] == pytest.approx(1e-4 * 4 ** (len(healed) - 1))


def test_a_healed_run_is_resumed_as_it_was(tmp_path):
    list(start(tmp_path / "run", "family.learning_rate=1e-8", steps=40, heal=True))
    state, _ = last_state(tmp_path / "run" / "state")
    first = next(e for e in impasto.resume(tmp_path / "run", steps=8) if isinstance(e, Tick))
    rate = first.scalars["generator_learning_rate"]
    assert rate > 1e-5
    assert float(state.changes[-1].removeprefix("family.learning_rate=")) == pytest.approx(rate)


def test_a_run_that_does_not_heal_changes_nothing(tmp_path):
    events = list(start(tmp_path / "run", "family.learning_rate=1e-8"))
    assert not kinds(events, Healed)


def finding(name, lever="slow down", severity="alarm"):
    return Finding(
        name=name, severity=severity, symptom="", evidence={}, cause="", remedy="",
        settings=("family.learning_rate=1",), lever=lever,
    )  # fmt: skip


def case(*distances):
    looks = [
        Tick(100 * i, i / 50, 0.0, 1.0, 1.0, {"diversity": 1.0, "kept_distance": distance})
        for i, distance in enumerate(distances)
    ]
    return Case(Facts(pictures=100), looks)


STUCK = case(*[0.5] * 20)


def test_a_remedy_waits_until_the_finding_has_lasted():
    healer = Healer()
    plans = [healer.after(STUCK, [finding("oscillation")]) for _ in range(LASTED)]
    assert [bool(plan) for plan in plans] == [False] * (LASTED - 1) + [True]


def test_a_finding_that_goes_away_is_not_treated():
    healer = Healer()
    looks = ([finding("oscillation")], []) * 6
    assert not [present for present in looks if healer.after(STUCK, present)]


def test_a_remedy_has_time_to_work_and_is_given_so_often():
    healer, pulled = Healer(), []
    for look in range(100):
        if healer.after(STUCK, [finding("oscillation")]):
            pulled.append(look)
    assert len(pulled) == MOST
    assert min(np.diff(pulled)) >= PATIENCE


def test_divergence_does_not_wait():
    falling = case(*[0.9**i for i in range(20)])
    healer = Healer()
    pulled = [healer.after(falling, [finding("divergence")]) for _ in range(10)]
    assert [bool(plan) for plan in pulled[:5]] == [True] + [False] * 3 + [True], (
        "what is looked at is from before the remedy for four looks"
    )
    assert not pulled[0].back, "it may draw well all the same"


def test_losses_that_are_no_numbers_go_back_at_once():
    healer = Healer()
    plans = [healer.after(STUCK, [finding("divergence")], broken=True) for _ in range(MOST)]
    assert all(plan.back for plan in plans)


@pytest.mark.parametrize(
    "distances", [[0.95**i for i in range(20)], [0.25] * 20], ids=["nearer and nearer", "near"]
)
def test_a_remedy_that_costs_speed_waits_while_the_run_does_well(distances):
    healer = Healer()
    for _ in range(10):
        assert healer.after(case(*distances), [finding("oscillation")]) is None
    assert healer.after(case(*distances), [finding("x", lever="weaken discriminator")]) is None
    assert healer.after(case(*distances), [finding("x", lever="weaken discriminator")])


@pytest.mark.parametrize(
    ("best", "now", "back"),
    [(0.2, 0.24, False), (0.2, 0.3, True), (math.inf, 0.3, False), (math.inf, 0.9, True)],
    ids=["near its best", "worse", "something learnt", "nothing learnt"],
)
def test_a_run_goes_back_where_it_has_become_worse(best, now, back):
    healer = Healer(best=best)
    collapsed = [finding("mode collapse", lever="weaken discriminator")]
    plans = [healer.after(case(*[now] * 20), collapsed) for _ in range(LASTED)]
    assert plans[-1].back is back


def test_a_run_that_comes_nearer_does_not_go_back():
    healer, falling = Healer(), case(*[0.95**i for i in range(17)])
    wins = [finding("discriminator wins", lever="weaken discriminator")]
    plans = [healer.after(falling, wins) for _ in range(LASTED)]
    assert plans[-1]
    assert not plans[-1].back


def test_the_best_weights_are_those_that_draw_nearest_to_the_data():
    healer, told = Healer(), [0.9] * 6 + [0.4, 0.2, 0.2, 0.2, 0.1, 0.3, 0.3]
    best = [healer.at_its_best(case(*told[: i + 1]), []) for i in range(len(told))]
    assert best == [False] * 9 + [True, False, False, False]


def test_a_young_run_has_no_best_weights():
    assert not Healer().at_its_best(case(0.1, 0.1, 0.1, 0.1), [])


def test_where_no_distance_is_told_the_best_weights_are_those_that_nothing_ails():
    healer = Healer()
    assert healer.at_its_best(case(*[math.nan] * 20), [finding("x", severity="warning")])
    assert not healer.at_its_best(case(*[math.nan] * 20), [finding("x")])


def test_a_run_that_begins_to_average_can_be_gone_on_with(tmp_path, monkeypatch):
    swings = finding("oscillation", lever="average weights")
    monkeypatch.setattr("impasto.runs.watching.diagnose", lambda _: [swings])
    events = list(start(tmp_path / "run", "family.ema_half_life=0", heal=True))
    assert kinds(events, Healed)[0].settings == ["family.ema_half_life=10000"]
    assert "generator/ema/layers.0.weight" in last_state(tmp_path / "run" / "state")[0].tensors
    again = list(impasto.resume(tmp_path / "run", steps=8))
    assert again[-1].reason == "budget"


def test_a_state_without_an_average_can_be_gone_back_to():
    config, streams = MLPGAN.tiny.config, Streams(seed=3, device=torch.device("cpu"))
    family = MLPGAN(replace(config, ema_half_life=0), MLPGAN.tiny.shape, streams)
    before = {name: value.clone() for name, value in family.state().items()}
    family.adapt(config)
    family.restore({name: value + 1 for name, value in before.items()})
    state = family.state()
    averaged = {name for name in state if name.startswith("generator/ema/")}
    assert averaged
    for name in averaged:
        assert (state[name] == before[name.replace("/ema/", "/network/")] + 1).all()


def test_warnings_and_what_has_no_lever_are_left_to_people():
    healer = Healer()
    for _ in range(10):
        assert healer.after(STUCK, [finding("too few pictures", severity="warning")]) is None
        assert healer.after(STUCK, [finding("checkerboard", lever=None)]) is None
