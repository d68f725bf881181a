"""Every score on a ladder: real, lightly spoilt, another subject, half trained, untrained.

Whatever orders these rightly can steer a training. The generator is a small DCGAN on cat faces of 32 pixels,
trained here; "half trained" is what it draws after 500 steps of 16, when there are smudges of the right colours.
"""

import io

import numpy as np
import pytest
from clouds import PROTOCOL
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.evaluation.evaluation import scores_of
from impasto.evaluation.extractors import MobileNetFeatures
from impasto.evaluation.memorization import CopyTest
from impasto.workflows.results import load
from impasto.workflows.training import train

COUNT = 400  # pictures on a rung, and reals that they are compared with
STEPS = 500
SMALL = (
    "data.size=32",
    "data.validation=0.4",
    "family.width=16",
    "family.generator_biases=[3]",
    "family.discriminator_biases=[0,1,2,3]",
    "family.ema_half_life=2000",
    "train.grid=4",
    "train.snapshots=1",
    "train.ticks=2",
)
LADDER = ("real", "jpeg", "noise", "other subject", "half trained", "untrained")
SPOILT = ("jpeg", "noise")  # side by side on the ladder: neither need be better
UNIT = tuple(f"{name}_unit" for name in ("precision", "recall", "density", "coverage"))


def jpeg(images):
    spoilt = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=30)
        spoilt.append(np.asarray(Image.open(file)))
    return np.stack(spoilt)


def noisy(images):
    noise = np.random.default_rng(0).normal(0, 10, images.shape)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def generated(home, prepared, steps):
    for _ in train(
        prepared.path,
        recipe="kittens",
        steps=steps,
        settings=SMALL,
        to=home / f"{steps}",
        device="cpu",
        seed=1,
    ):
        pass
    return load(home / f"{steps}").sample(COUNT, seed=3)


@pytest.fixture(scope="module")
def seen(shared, tmp_path_factory):
    """Features and logits of each rung, of the reals that they are compared with, and of those trained on."""
    home = tmp_path_factory.mktemp("ladder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
        patch.setenv("IMPASTO_CACHE", str(home / "cache"))
        extractor = MobileNetFeatures(side=64)
        data = shared / "data"
        cats = prepare(data / "cat-faces-64.zip", DataConfig(size=32, limit=2_000), home / "cats")
        anime = prepare(data / "anime-64.zip", DataConfig(size=32, limit=COUNT), home / "anime")
        trained, held_out = cats.split(0, 0.4)
        other = cats.images(held_out[COUNT : 2 * COUNT])
        pictures = {
            "reference": cats.images(held_out[:COUNT]),
            "training": cats.images(trained),
            "real": other,
            "jpeg": jpeg(other),
            "noise": noisy(other),
            "other subject": anime.images(np.arange(COUNT)),
            "half trained": generated(home, cats, STEPS),
            "untrained": generated(home, cats, 1),
        }
        features = {name: extractor(images) for name, images in pictures.items()}
    return features, {name: extractor.logits(part) for name, part in features.items()}


@pytest.fixture(scope="module")
def ladder(seen):
    """Value and error of each score on each rung."""
    features, logits = seen
    rungs = {}
    for rung in LADDER:
        scores = scores_of(features["reference"], features[rung], PROTOCOL, logits=logits[rung])
        for name, score in scores.items():
            rungs.setdefault(name, {})[rung] = score.estimate
    return rungs


def steps_down(estimates):
    """Each rung and the next lower one; the two kinds of spoilt pictures count as one rung."""
    pairs = [("real", spoilt) for spoilt in SPOILT] + [(spoilt, LADDER[3]) for spoilt in SPOILT]
    for upper, lower in [*pairs, LADDER[3:5], LADDER[4:6]]:
        yield upper, lower, estimates[upper], estimates[lower]


@pytest.mark.parametrize("name", ["kernel_distance_unit", "frechet_distance"])
def test_distances_order_all_rungs(ladder, name):
    for upper, lower, better, worse in steps_down(ladder[name]):
        assert better.value + better.error < worse.value - worse.error, (upper, lower)


@pytest.mark.parametrize("name", UNIT)
def test_fidelity_and_variety_on_unit_lengths_order_all_rungs(ladder, name):
    """Weakly, since all of them are about nought from the other subject downwards."""
    for upper, lower, better, worse in steps_down(ladder[name]):
        assert better.value >= worse.value - 2 * (better.error + worse.error), (upper, lower)
    assert ladder[name]["real"].value > 0.7
    assert ladder[name]["other subject"].value < 0.3
    assert ladder[name]["half trained"].value < 0.1
    assert ladder[name]["untrained"].value < 0.02


@pytest.mark.parametrize("name", ["recall", "coverage"])
def test_usual_recall_and_coverage_order_what_is_real_and_what_is_not(ladder, name):
    """Another subject and the half trained may change places: neither covers anything."""
    for spoilt in SPOILT:
        assert ladder[name]["real"].value > ladder[name][spoilt].value
        for wrong in LADDER[3:]:
            assert ladder[name][spoilt].value > ladder[name][wrong].value + 0.1
    assert ladder[name]["untrained"].value < 0.1


def test_the_usual_kernel_distance_hardly_sees_a_training_go_on(ladder):
    """It orders what is clear, but from half trained to untrained it moves less than the unit-length one by far:
    features of both are small, and the cubic kernel then sees the reals' own term and nothing else."""
    usual, unit = ladder["kernel_distance"], ladder["kernel_distance_unit"]
    for spoilt in SPOILT:
        assert usual["real"].value + usual["real"].error < usual[spoilt].value
        assert usual[spoilt].value < usual["half trained"].value
    assert usual["half trained"].value > 0.9 * usual["untrained"].value, "within a tenth"
    assert unit["half trained"].value < 0.6 * unit["untrained"].value, "about half"


@pytest.mark.parametrize("name", ["precision", "density"])
def test_usual_precision_and_density_take_an_untrained_generator_for_a_good_one(ladder, name):
    """They cannot order this ladder: what is grey and smooth has small features, which all lie within the wide
    ball of some real picture that is unlike the others. Hence the same scores on unit lengths."""
    assert ladder[name]["untrained"].value >= ladder[name]["real"].value
    assert ladder[name]["other subject"].value < ladder[name]["real"].value / 2


def test_diversity_tells_a_collapse_and_nothing_else(ladder):
    """Noise makes pictures more varied, and smudges may be as varied as cats; it is no score of likeness."""
    for rung in LADDER[:4]:
        assert 0.8 < ladder["diversity"][rung].value < 1.4
    assert ladder["diversity"]["half trained"].value > 0.3
    assert ladder["diversity"]["untrained"].value < 0.05


def test_the_inception_score_tells_things_from_smudges_and_not_one_thing_from_another(ladder):
    """It knows no reals: to it, portraits are as good as cats, and JPEG may well be better."""
    score = {rung: estimate.value for rung, estimate in ladder["inception_score"].items()}
    assert score["half trained"] > 1.2 * score["untrained"]
    for rung in LADDER[:4]:
        assert score[rung] > 4 * score["half trained"]


def test_nothing_on_the_ladder_is_a_copy(seen):
    features, _ = seen
    test = CopyTest(features["training"], features["reference"])
    assert [rung for rung in LADDER if test(features[rung]).caught] == []
