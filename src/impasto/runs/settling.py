"""What an autoencoder is given when its training ends: a prior to draw from, and what normal pictures are like.

Both are found by the pictures that were held out; the networks stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from impasto.data.prepared import Prepared
from impasto.data.spread import evenly
from impasto.errors import WeightsError
from impasto.evaluation.evaluation import FEWEST
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.kernel import kernel_distance
from impasto.evaluation.sight import Sight
from impasto.families.coder import AutoencoderModel
from impasto.latents.anomalies import Normals
from impasto.latents.priors import flow, mixture
from impasto.nn.priors import Mixture
from impasto.runs.config import RunConfig
from impasto.runs.export import read_model, write_model
from impasto.runs.oddness import familiar, oddness
from impasto.seeds import stream

ENCODED = 10_000  # pictures that a prior is fitted to, at most
JUDGED = 300  # pictures on each side when priors are compared, and normal ones, at most
ENOUGH = 200  # pictures without which a flow would only learn them by heart
BLOCK = 1_024  # pictures decoded from disk together
SEEN = 600  # pictures whose features say what is familiar, at most
RATE = 0.01  # share of normal pictures that a threshold calls odd


@dataclass(frozen=True)
class Settlement:
    """What was found at the end of a training.

    Attributes:
        prior: the name of the one that draws: the nearer one, and the flow where pictures are drawn to order.
        distances: unit-length kernel distance to held-out pictures and its standard error, by prior.
        pictures: on each side of them.
        extractor: what saw them.
        normals: what normal pictures are like; None where too few were held out.
    """

    prior: str
    distances: dict[str, tuple[float, float]]
    pictures: int
    extractor: str
    normals: Normals | None

    def __str__(self) -> str:
        told = ", ".join(f"{n} {v:.4f} ± {e:.4f}" for n, (v, e) in self.distances.items())
        compared = (
            f": kernel distance of {self.pictures} samples to held-out pictures by {self.extractor}: {told}"
            if told
            else ""
        )
        return f"new pictures are drawn from a {self.prior}{compared}"

    def to_plain(self) -> dict[str, object]:
        """As it is kept in a model's header."""
        return {
            "prior": self.prior,
            "distances": {name: list(pair) for name, pair in self.distances.items()},
            "pictures": self.pictures,
            "extractor": self.extractor,
            "normals": self.normals.to_plain() if self.normals else None,
        }


def settle(files: tuple[Path, ...], config: RunConfig, prepared: Prepared) -> Iterator[Settlement]:
    """Fits the priors of the models in these files, as far as they are there, and writes them back."""
    sight: Sight | None = None
    for path in files:
        if not path.exists():
            continue
        model = read_model(path)
        assert isinstance(model, AutoencoderModel)
        sight = sight or seeing(config.train.scoring.extractor)
        settlement = settled(model, config, prepared, sight)
        write_model(model, config, path)
        yield settlement


def seeing(extractor: str) -> Sight:
    """The extractor of a run's scores; where its weights are not at hand, one that needs none."""
    try:
        return Sight(find_extractor(extractor))
    except WeightsError:
        return Sight(find_extractor("random"))


def settled(
    model: AutoencoderModel, config: RunConfig, prepared: Prepared, sight: Sight
) -> Settlement:
    """Gives the model its priors, and says which draws and how normal pictures lie."""
    trained, held_out = prepared.split(config.data.split_seed, config.data.validation)
    codes, known = _coded(model, prepared, evenly(trained, ENCODED))
    judged = evenly(held_out, JUDGED)
    strangers, theirs = _coded(model, prepared, judged)
    density = mixture(codes, strangers, seed=config.train.seed)
    model.settle(density)
    name, distances = _named(density), {}
    if len(codes) >= ENOUGH and len(judged) >= FEWEST:
        real = sight.of_prepared(prepared, judged)
        carried = flow(codes, known, seed=config.train.seed)
        for tried, candidate in ((_named(density), None), ("rectified flow", carried)):
            model.settle(density, candidate)
            distances[tried] = _distance(model, sight, real, theirs)
        # Only a flow knows what is asked for: codes of a picture tell its class, so that a code drawn without
        # regard to it shows another one.
        conditional = bool(model.attributes)
        name = "rectified flow" if conditional else min(distances, key=lambda n: distances[n][0])
        model.settle(density, carried if name == "rectified flow" else None)
    if len(trained):
        model.familiar = familiar(sight.of_prepared(prepared, evenly(trained, SEEN)))
    normals = None
    if len(judged) >= FEWEST:
        normals = Normals.of(oddness(model, sight, prepared.images(judged)), RATE)
    found = Settlement(name, distances, len(judged), sight.extractor.name, normals)
    model.provenance = model.provenance | {"settled": found.to_plain()}
    return found


def _named(density: Mixture) -> str:
    count = len(density.shares)
    return "Gaussian" if count == 1 else f"mixture of {count} Gaussians"


def _coded(
    model: AutoencoderModel, prepared: Prepared, positions: Int64[np.ndarray, " n"]
) -> tuple[Float[Tensor, "n z"], Float[Tensor, "n k"]]:
    """The codes of pictures, and what is known of them."""
    known = torch.from_numpy(prepared.known(positions, model.attributes))
    blocks = range(0, len(positions), BLOCK)
    codes = [
        model.encode(prepared.images(positions[at : at + BLOCK]), known[at : at + BLOCK])
        for at in blocks
    ]
    return torch.cat([torch.empty(0, model.latents), *codes]), known


def _distance(
    model: AutoencoderModel,
    sight: Sight,
    real: Float[np.ndarray, "n d"],
    known: Float[Tensor, "n k"],
) -> tuple[float, float]:
    """Of as many samples with the same known of them."""
    drawn = stream(0, "settle")
    noise = torch.randn(len(known), model.latents, generator=drawn)
    codes = model.prior.draw(noise, torch.rand(len(known), generator=drawn), known)
    told = kernel_distance(real, sight.features(model.decode(codes, known)), unit=True)
    return told.value, told.error
