"""Every disease on signals made up for it, beside a healthy training that must stay without findings."""

import math
from dataclasses import replace

import pytest

from impasto.diagnostics.case import Case, Facts, case_of
from impasto.diagnostics.diagnosis import DISEASES, diagnose
from impasto.diagnostics.diseases.rates import not_finite
from impasto.diagnostics.finding import Finding
from impasto.events import Saved, Started, Tick

FACTS = Facts(
    pictures=2_000,
    held_out=200,
    batch=16,
    reliefs={
        "weaken discriminator": {"discriminator_pace": 0.5},
        "strengthen discriminator": {"discriminator_pace": 4.0},
        "slow generator": {"learning_rate": 1e-4},
        "slow down": {"learning_rate": 5e-5},
        "speed up": {"learning_rate": 8e-4},
    },
)
HEALTHY = {
    "generator_loss": 0.9,
    "discriminator_loss": 1.2,
    "generator_update_ratio": 0.005,
    "discriminator_update_ratio": 0.006,
    "skipped_steps": 0.0,
    "loader_wait": 0.002,
    "real_logit": 0.4,
    "held_out_logit": 0.4,
    "fake_logit": -0.4,
    "separation": 0.7,
    "recognition": 0.5,
    "fake_accuracy": 0.6,
    "diversity": 0.9,
    "apartness": 0.95,
    "kinds": 0.8,
    "energy_distance": 0.2,
    "contrast_ratio": 0.95,
    "real_lowest": -1.0,
    "real_highest": 1.0,
    "fake_lowest": -0.99,
    "fake_highest": 0.99,
    "checkerboard": 0.3,
    "batch_leak": 0.1,
    "grid_change": 0.3,
    "grid_return": 1.5,
    "copied": 0.0,
    "copied_surely": 0.0,
}
SICK = {
    "range mismatch": {"real_lowest": 0.0},
    "divergence": {"generator_loss": 500.0},
    "slow loader": {"loader_wait": 0.6},
    "learning rate too low": {
        "generator_update_ratio": 1e-5,
        "discriminator_update_ratio": 1e-5,
    },
    "learning rate too high": {"generator_update_ratio": 0.2, "discriminator_update_ratio": 0.2},
    "discriminator wins": {
        "separation": 1.0,
        "real_logit": 9.0,
        "fake_logit": -7.0,
        "generator_loss": 7.0,
        "energy_distance": 0.8,
    },
    "generator wins": {
        "separation": 0.05,
        "energy_distance": 0.8,
        "discriminator_update_ratio": 1e-4,
    },
    "mode collapse": {"diversity": 0.002},
    "partial mode collapse": {"apartness": 0.02, "kinds": 0.1},
    "oscillation": {"grid_change": 1.1, "grid_return": 0.7},
    "memorisation": {"copied": 0.6, "copied_surely": 1.0},
    "discriminator overfits": {"recognition": 0.95},
    "batch-norm leakage": {"batch_leak": 0.8},
    "checkerboard": {"checkerboard": 3.0},
}


def case(changes=None, *, looks=20, facts=FACTS, of=20):
    """A training that is as the changes say from its first look on."""
    scalars = HEALTHY | (changes or {})
    ticks = [
        Tick(100 * (i + 1), (i + 1) / of, float(i), 100.0, 1.0, dict(scalars)) for i in range(looks)
    ]
    return Case(facts, ticks)


def names(found):
    return [finding.name for finding in found]


def is_well(case):
    return names(diagnose(case)) == ["well"]


def test_a_healthy_training_is_well_and_by_what():
    (found,) = diagnose(case())
    assert (found.name, found.severity) == ("well", "good")
    assert found.evidence["diversity"] == HEALTHY["diversity"]
    assert found.symptom
    assert found.cause
    assert found.remedy


@pytest.mark.parametrize("name", SICK)
def test_each_disease_is_named_first_and_by_itself(name):
    assert names(diagnose(case(SICK[name]))) == [name]


@pytest.mark.parametrize("name", SICK)
def test_a_finding_tells_symptom_evidence_cause_and_remedy(name):
    (found,) = diagnose(case(SICK[name]))
    assert found.symptom
    assert found.cause
    assert found.remedy
    assert found.evidence
    assert all(map(math.isfinite, found.evidence.values()))
    assert set(SICK[name]) & set(found.evidence)
    assert found.to_plain().keys() >= {"symptom", "evidence", "cause", "remedy"}
    assert name in str(found)


@pytest.mark.parametrize("name", SICK)
def test_one_look_by_itself_is_not_believed(name):
    if name == "range mismatch":  # what the data are is seen at once
        pytest.skip("no chance in it")
    healthy, sick = case(), case(SICK[name])
    once = Case(FACTS, [*healthy.looks[:-1], sick.looks[-1]])
    assert is_well(once)


@pytest.mark.parametrize("name", SICK)
def test_remedies_are_in_the_runs_own_settings(name):
    (found,) = diagnose(case(SICK[name]))
    if found.lever is not None:
        assert found.settings == FACTS.settings(found.lever)
        assert found.settings[0].startswith("family.")


def test_nothing_is_said_before_the_players_have_met():
    assert diagnose(case(SICK["mode collapse"], looks=4, of=100)) == []


def test_first_steps_may_be_long():
    assert is_well(case(SICK["learning rate too high"], looks=19, of=100))


@pytest.mark.parametrize(
    ("ratio", "steps", "told"), [(0.02, 300, 0), (0.05, 300, 1), (0.02, 800, 1)]
)
def test_weights_that_begin_small_have_time_to_settle(ratio, steps, told):
    long = case({"generator_update_ratio": ratio, "discriminator_update_ratio": ratio})
    looks = [
        replace(look, images_seen=steps * FACTS.batch * (i + 1) // 20)
        for i, look in enumerate(long.looks)
    ]
    found = names(diagnose(Case(FACTS, looks)))
    assert found == (["learning rate too high"] if told else ["well"])


def test_small_batches_are_found_guilty_of_leakage_sooner():
    small = replace(FACTS, batch=2)
    assert names(diagnose(case({"batch_leak": 0.25}, facts=small))) == ["batch-norm leakage"]
    assert is_well(case({"batch_leak": 0.25}))


def test_a_discriminator_ahead_of_a_generator_that_learns_has_not_won():
    looks = case(SICK["discriminator wins"]).looks
    falling = [
        Tick(t.images_seen, t.fraction, 0.0, 1.0, 1.0, t.scalars | {"energy_distance": 0.9**i})
        for i, t in enumerate(looks)
    ]
    assert "discriminator wins" not in names(diagnose(Case(FACTS, falling)))


def test_a_cause_hides_what_follows_from_it():
    both = SICK["learning rate too high"] | SICK["discriminator wins"] | SICK["checkerboard"]
    assert names(diagnose(case(both))) == ["learning rate too high"]


def test_signals_that_a_family_does_not_tell_are_not_missed():
    bare = {name: HEALTHY[name] for name in ("diversity", "apartness", "kinds", "energy_distance")}
    ranges = {name: HEALTHY[name] for name in ("real_lowest", "real_highest")}
    ticks = [Tick(i, i / 20, 0.0, 1.0, 1.0, bare | ranges) for i in range(1, 21)]
    assert is_well(Case(FACTS, ticks))


def test_no_looks_no_findings():
    assert diagnose(Case(FACTS, [])) == []


def test_after_a_look_or_two_it_is_too_early_to_say_that_all_is_well():
    assert diagnose(case(looks=3)) == []
    assert is_well(case(looks=4))


def test_a_class_of_a_few_pictures_is_rare_by_chance():
    assert is_well(case(facts=facts(classes={"class": {"cat": 7, "dog": 1}})))


@pytest.mark.parametrize("disease", DISEASES, ids=lambda disease: disease.__name__)
def test_no_disease_stumbles_over_numbers_that_are_none(disease):
    nothing = dict.fromkeys(HEALTHY, math.nan)
    told = disease(case(nothing))
    assert told is None or isinstance(told, Finding)


# Facts of the data --------------------------------------------------------------------------


def facts(**changes):
    return Facts(**{"pictures": 2_000, **changes})


def test_few_pictures_are_a_warning():
    (found,) = diagnose(case(facts=facts(pictures=60)))
    assert (found.name, found.severity) == ("too few pictures", "warning")


def test_a_rare_class_is_a_warning():
    (found,) = diagnose(case(facts=facts(classes={"class": {"cat": 1_900, "dog": 100}})))
    assert found.name == "classes out of balance"
    assert "dog" in found.symptom
    assert is_well(case(facts=facts(classes={"class": {"cat": 1_200, "dog": 800}})))


def test_duplicates_are_a_warning():
    assert names(diagnose(case(facts=facts(duplicates=0.4)))) == ["duplicates in the data"]
    assert is_well(case(facts=facts(duplicates=0.01)))


def test_numbers_that_are_no_longer_finite_are_divergence():
    found = not_finite({"skipped_steps": 1.0, "generator_loss": math.nan}, FACTS)
    assert (found.name, found.lever) == ("divergence", "slow down")
    assert found.settings == ("family.learning_rate=5e-05",)


# From events --------------------------------------------------------------------------------


def test_what_was_trained_twice_counts_once():
    looks = list(case(looks=6).looks)
    started = Started(300, "run", "r", 10, 0, "1 epochs", "CPU", 1, "32-bit", {})
    told = case_of([*looks[:5], Saved(300, "x"), started, *looks[3:]], FACTS)
    assert [look.images_seen for look in told.looks] == [100, 200, 300, 400, 500, 600]


def test_ticks_without_signals_are_no_looks():
    plain = Tick(50, 0.1, 1.0, 1.0, 1.0, {"generator_loss": 1.0})
    assert len(case_of([plain, *case(looks=2).looks], FACTS).looks) == 2
