"""impasto's autoencoders as scikit-learn estimators: from arrays in memory, in pipelines and in searches.

from impasto.sklearn import PictureEncoder

encoder = PictureEncoder(latents=32).fit(images)    # uint8, n h w c
codes = encoder.transform(images)                   # the same picture, the same code, in any batch
again = encoder.inverse_transform(codes)
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from safetensors.torch import load, save
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from impasto.config import from_plain, to_plain
from impasto.errors import ConfigError, SourceError, nearest
from impasto.families import FAMILIES, Batch
from impasto.families.autoencoder import AutoencoderConfig
from impasto.families.coder import AutoencoderModel
from impasto.families.vae import VAEConfig
from impasto.images import to_float
from impasto.latents.priors import mixture
from impasto.seeds import Streams, stream
from impasto.types import Budget, ImageShape, Progress
from impasto.version import __version__

CONFIGS: dict[str, type[Any]] = {"autoencoder": AutoencoderConfig, "vae": VAEConfig}
LEAST_SIDE = 8  # pixels, of the convolutional networks
HELD_OUT = 10  # one picture in so many is left out of training, to choose the density by

Pictures = UInt8[np.ndarray, "n h w c"]


class PictureEncoder(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Pictures to codes and back, learnt from the pictures at hand.

    Pictures are uint8 arrays `n h w c` (or `n h w`, grey), square, from 8 pixels; rows of a table, as
    pipelines pass them, where `image_shape` says what they stand for. It pickles by scikit-learn's own
    means, as plain settings and the bytes of a safetensors file.

    Args:
        family: `vae`, whose latents follow a distribution that new pictures can be drawn from, or
            `autoencoder`.
        latents: numbers in a code.
        network: `convolutional`, or `linear`, which finds the space of PCA.
        width: channels beside the picture.
        epochs: passes over the pictures.
        batch: pictures in a step, at most all.
        learning_rate: of Adam.
        image_shape: height, width and channels of pictures that come as rows; None for arrays of pictures.
        random_state: seed of weights, order and noise, or a generator that draws one.

    Attributes:
        model_: what was learnt, as `impasto.load` gives it.
        family_: what kind of model it is.
        config_: its settings.
        n_features_in_: numbers in a picture.
    """

    def __init__(
        self,
        *,
        family: str = "vae",
        latents: int = 64,
        network: str = "convolutional",
        width: int = 16,
        epochs: float = 10.0,
        batch: int = 32,
        learning_rate: float = 1e-3,
        image_shape: tuple[int, int, int] | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.family = family
        self.latents = latents
        self.network = network
        self.width = width
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.image_shape = image_shape
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: object = None) -> "PictureEncoder":
        """Learns from pictures; what they are labelled with is not looked at.

        Raises:
            BadInput: not pictures, too few, or a setting that there is not.
        """
        del y
        images = self._pictures(X)
        if len(images) < 2:
            raise SourceError(f"fit: {len(images)} pictures are too few; give two or more")
        shape = ImageShape(images.shape[3], images.shape[1])
        config = self._config()
        if not (self.batch >= 1 and 0 < self.epochs < math.inf):
            raise ConfigError(
                f"epochs {self.epochs}, batch {self.batch}: both are above zero, and epochs are not infinite"
            )
        strangers = np.arange(len(images)) % HELD_OUT == HELD_OUT - 1
        trained = images[~strangers]
        seed, batch = _seed(self.random_state), min(self.batch, len(trained))
        family = FAMILIES[self.family](config, shape, Streams(seed, torch.device("cpu")))
        steps = max(1, round(self.epochs * len(trained) / batch))
        budget, nothing = Budget(steps * batch, "images"), torch.zeros(batch, 0)
        for step in range(steps):
            places = np.arange(step * batch, (step + 1) * batch)
            some = _shuffled(places, len(trained), seed)
            shown = to_float(torch.from_numpy(trained[some]))
            family.step(Batch(shown, nothing), Progress(step * batch, budget, len(trained)))
        model = family.model()
        assert isinstance(model, AutoencoderModel)
        model.settle(mixture(model.encode(trained), model.encode(images[strangers]), seed=seed))
        model.provenance = {"impasto": __version__, "pictures": len(trained)}
        self.model_, self.family_, self.config_ = model, self.family, to_plain(config)
        self.n_features_in_ = int(np.prod(images.shape[1:]))
        self.shape_in_ = np.shape(X)[1:]
        return self

    def transform(self, X: np.ndarray) -> Float32[np.ndarray, "n z"]:
        """The codes of pictures: means of their posteriors."""
        codes: np.ndarray = self._fitted().encode(self._known(X)).numpy()
        return codes

    def inverse_transform(self, X: Float[np.ndarray, "n z"]) -> np.ndarray:
        """The pictures that codes stand for, in the form that `fit` was given them: uint8.

        Raises:
            SourceError: codes of another length.
        """
        model = self._fitted()
        codes = np.asarray(X, np.float32)
        if codes.ndim != 2 or codes.shape[1] != model.latents:
            raise SourceError(
                f"inverse_transform: codes of shape {codes.shape}; give rows of {model.latents}"
            )
        images = model.decode(torch.from_numpy(codes), torch.zeros(len(codes), 0))
        return images.reshape(len(images), *self.shape_in_)

    def score_samples(self, X: np.ndarray) -> Float[np.ndarray, " n"]:
        """The log-density of each picture's code, in nats: low where a picture is unlike those learnt from."""
        model = self._fitted()
        told: np.ndarray = model.density.log_density(model.encode(self._known(X))).numpy()
        return told

    def score(self, X: np.ndarray, y: object = None) -> float:
        """Minus the mean squared error of what comes back, of pixels in [0, 1]: what a search maximises."""
        del y
        model, images = self._fitted(), self._known(X)
        back = model.decode(model.encode(images), torch.zeros(len(images), 0))
        one, other = (to_float(torch.from_numpy(np.array(each))) for each in (images, back))
        return -float((one - other).square().mean()) / 4  # [-1, 1] is twice as wide

    def sample(self, n_samples: int = 1, random_state: int = 0) -> Pictures:
        """New pictures, drawn from the density of the codes."""
        return self._fitted().sample(n_samples, random_state)

    def __getstate__(self) -> dict[str, Any]:
        """Settings, and what was learnt as the bytes of a safetensors file: no network is pickled."""
        told: dict[str, Any] = dict(super().__getstate__())
        model = told.pop("model_", None)
        if isinstance(model, AutoencoderModel):
            told["model_bytes"] = save({n: t.contiguous() for n, t in model.state().items()})
            shape = [model.shape.channels, model.shape.size]
            told["model_facts"] = json.dumps({"provenance": model.provenance, "shape": shape})
        return told

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """The estimator as it was."""
        told = dict(state)
        content, facts = told.pop("model_bytes", None), told.pop("model_facts", None)
        super().__setstate__(told)
        if content is not None and facts is not None:
            plain = json.loads(facts)
            config = from_plain(CONFIGS[self.family_], self.config_, where="PictureEncoder")
            revived = FAMILIES[self.family_].revive(
                config, ImageShape(*plain["shape"]), load(content)
            )
            assert isinstance(revived, AutoencoderModel)
            revived.provenance = plain["provenance"]
            self.model_ = revived

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is something to encode with."""
        return hasattr(self, "model_")

    @property
    def _n_features_out(self) -> int:
        """Numbers in a code, for the names that scikit-learn gives them."""
        return self._fitted().latents

    def _config(self) -> Any:
        if self.family not in CONFIGS:
            raise ConfigError(
                f"family: {self.family}: no such family; {nearest(self.family, CONFIGS)}"
            )
        plain = {
            "name": self.family,
            "latents": self.latents,
            "network": self.network,
            "width": self.width,
            "learning_rate": self.learning_rate,
        }
        return from_plain(CONFIGS[self.family], plain, where="PictureEncoder")

    def _fitted(self) -> AutoencoderModel:
        if not hasattr(self, "model_"):
            raise NotFittedError("this PictureEncoder has learnt nothing yet; call fit first")
        return self.model_

    def _known(self, X: np.ndarray) -> Pictures:
        """Pictures of the size that was learnt."""
        images, shape = self._pictures(X), self._fitted().shape
        if images.shape[1:] != (shape.size, shape.size, shape.channels):
            raise SourceError(
                f"pictures of shape {images.shape[1:]}; it learnt from "
                f"{(shape.size, shape.size, shape.channels)}: bring them to that first"
            )
        return images

    def _pictures(self, X: np.ndarray) -> Pictures:
        images = np.asarray(X)
        if self.image_shape is not None and images.ndim == 2:
            if images.shape[1] != int(np.prod(self.image_shape)):
                raise SourceError(
                    f"rows of {images.shape[1]} numbers; image_shape {self.image_shape} has "
                    f"{int(np.prod(self.image_shape))}"
                )
            images = images.reshape(-1, *self.image_shape)
        if images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or images.shape[3] not in {1, 3} or images.shape[1] != images.shape[2]:
            raise SourceError(
                f"pictures of shape {images.shape}; give an array n h w c of square ones with 1 or 3 channels, or rows "
                "and image_shape"
            )
        if images.shape[1] < LEAST_SIDE and self.network == "convolutional":
            raise SourceError(
                f"pictures of {images.shape[1]} pixels; convolutions need {LEAST_SIDE}, or network='linear'"
            )
        if images.dtype != np.uint8:
            whole = np.issubdtype(images.dtype, np.number) and np.isfinite(images).all()
            rounded = images.astype(np.uint8) if whole else None
            if rounded is None or not (rounded == images).all():
                raise SourceError(
                    f"pictures of type {images.dtype}; give whole numbers from 0 to 255, as np.uint8"
                )
            images = rounded
        return images


def _seed(random_state: int | np.random.RandomState | None) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _shuffled(places: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Which pictures stand at these places of an endless stream, shuffled anew at every pass."""
    found = np.empty_like(places)
    epochs, within = np.divmod(places, count)
    for epoch in np.unique(epochs):
        order = torch.randperm(count, generator=stream(seed, "order", int(epoch))).numpy()
        found[epochs == epoch] = order[within[epochs == epoch]]
    return found
