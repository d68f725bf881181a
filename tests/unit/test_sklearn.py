"""The estimator, in scikit-learn's own ways."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from impasto.errors import BadInput
from impasto.sklearn import PictureEncoder

QUICK = {"latents": 4, "width": 4, "epochs": 2, "batch": 16}


@pytest.fixture(scope="module")
def images():
    """Bright squares on the left or on the right, with noise."""
    drawn = np.random.default_rng(0)
    pictures = drawn.integers(0, 60, (120, 16, 16, 1)).astype(np.uint8)
    for place in range(120):
        side = 8 * (place % 2)
        pictures[place, 4:12, side + 1 : side + 7] += 150
    return pictures


@pytest.fixture(scope="module")
def encoder(images):
    return PictureEncoder(**QUICK).fit(images)


def test_the_same_picture_has_the_same_code_in_any_batch(encoder, images):
    whole = encoder.transform(images)
    assert whole.shape == (120, 4)
    assert (whole == encoder.transform(images)).all()
    assert np.allclose(whole[40:41], encoder.transform(images[40:41]), atol=1e-5)


def test_codes_come_back_as_pictures_of_the_same_form(encoder, images):
    back = encoder.inverse_transform(encoder.transform(images))
    assert back.shape == images.shape
    assert back.dtype == np.uint8
    rows = PictureEncoder(**QUICK, image_shape=(16, 16, 1)).fit(images.reshape(120, -1))
    assert rows.inverse_transform(rows.transform(images.reshape(120, -1))).shape == (120, 256)
    assert encoder.transform(images[..., 0]).shape == (120, 4)


def test_more_learning_brings_pictures_back_better(images):
    little, more = (
        PictureEncoder(**QUICK | {"epochs": epochs, "learning_rate": 3e-3}).fit(images)
        for epochs in (1, 15)
    )
    assert little.score(images) < more.score(images) < 0


def test_what_was_never_seen_is_less_likely(images):
    encoder = PictureEncoder(**QUICK | {"epochs": 15, "learning_rate": 3e-3}).fit(images)
    odd = 255 - images
    assert np.median(encoder.score_samples(odd)) < np.median(encoder.score_samples(images))


def test_settings_are_those_of_the_constructor_and_a_clone_has_them(encoder):
    assert encoder.get_params()["latents"] == 4
    copy = clone(encoder)
    assert copy.get_params() == encoder.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(np.zeros((1, 16, 16, 1), np.uint8))


def test_it_pickles_without_pickling_a_network(encoder, images):
    content = pickle.dumps(encoder)
    assert b"torch" not in content
    again = pickle.loads(content)
    assert (again.transform(images) == encoder.transform(images)).all()
    assert (again.sample(3, 1) == encoder.sample(3, 1)).all()
    assert pickle.loads(pickle.dumps(PictureEncoder(latents=7))).latents == 7


def test_settings_that_change_after_learning_are_for_the_next_time(encoder, images):
    changed = pickle.loads(pickle.dumps(encoder)).set_params(latents=9, family="autoencoder")
    again = pickle.loads(pickle.dumps(changed))
    assert np.allclose(again.transform(images[:5]), encoder.transform(images[:5]), atol=1e-6)
    assert again.latents == 9


def test_codes_have_names_and_pictures_their_form(images):
    grey = images[:40, ..., 0]
    encoder = PictureEncoder(**QUICK | {"random_state": np.random.RandomState(3)}).fit(grey)
    assert encoder.get_feature_names_out().tolist() == [f"pictureencoder{i}" for i in range(4)]
    assert encoder.inverse_transform(encoder.transform(grey)).shape == grey.shape


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"epochs": -1}, {"epochs": float("nan")}])
def test_budgets_that_are_none_are_told(images, wrong):
    with pytest.raises(BadInput, match="above zero"):
        PictureEncoder(**QUICK | wrong).fit(images)


def test_the_same_seed_learns_the_same(encoder, images):
    again = PictureEncoder(**QUICK).fit(images)
    assert (again.transform(images) == encoder.transform(images)).all()
    other = PictureEncoder(**QUICK, random_state=1).fit(images)
    assert (other.transform(images) != encoder.transform(images)).any()


def test_it_stands_in_a_pipeline_and_in_a_search(images):
    sides = np.arange(120) % 2
    search = GridSearchCV(
        make_pipeline(
            PictureEncoder(**QUICK | {"epochs": 6, "learning_rate": 3e-3}), LogisticRegression()
        ),
        {"pictureencoder__latents": [2, 8]},
        cv=2,
    )
    search.fit(images, sides)
    assert search.best_score_ > 0.9
    assert search.best_params_["pictureencoder__latents"] in {2, 8}


def test_a_linear_one_is_nearly_as_good_as_pca(images):
    rows = images.reshape(120, -1) / 255
    pca = PCA(4).fit(rows)
    right = np.square(pca.inverse_transform(pca.transform(rows)) - rows).mean()
    linear = PictureEncoder(
        family="autoencoder",
        network="linear",
        latents=4,
        epochs=300,
        batch=54,
        learning_rate=1e-2,
    ).fit(images)
    assert -linear.score(images) < 1.2 * right


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((3, 16, 12, 1), np.uint8), "square"),
        (np.zeros((3, 5), np.uint8), "image_shape"),
        (np.full((3, 16, 16, 1), 0.5), "whole numbers"),
        (np.zeros((3, 4, 4, 1), np.uint8), "convolutions need 8"),
        (np.zeros((1, 16, 16, 1), np.uint8), "too few"),
    ],
)
def test_what_are_no_pictures_is_told(pictures, message):
    with pytest.raises(BadInput, match=message):
        PictureEncoder(**QUICK).fit(pictures)


def test_settings_that_there_are_not_are_told_when_fitting(images):
    with pytest.raises(BadInput, match="no such family"):
        PictureEncoder(family="gan").fit(images)
    with pytest.raises(BadInput, match="latents"):
        PictureEncoder(latents=0).fit(images)
