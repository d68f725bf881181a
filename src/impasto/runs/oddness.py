"""How odd pictures are to a model: how rare their codes, how badly they come back, what is unfamiliar in them."""

import numpy as np
import torch
from jaxtyping import Float, UInt8

from impasto.evaluation.sight import Sight
from impasto.families.coder import AutoencoderModel
from impasto.images import to_float
from impasto.latents.anomalies import rarity
from impasto.losses.structure import dissimilarity
from impasto.nn.familiar import Familiar

BLOCK = 256  # pictures


def oddness(
    model: AutoencoderModel, sight: Sight, images: UInt8[np.ndarray, "n h w c"]
) -> Float[np.ndarray, "n 3"]:
    """The rarity of each code, the dissimilarity of what is decoded, and what an extractor sees in no normal picture.

    Raises:
        ValueError: nothing is familiar to the model yet.
    """
    if model.familiar is None:
        raise ValueError("the model has not been told what is familiar")
    told = [np.empty((0, 3))]
    for start in range(0, len(images), BLOCK):
        some = images[start : start + BLOCK]
        codes = model.encode(some)
        back = returned(model, some)
        seen = torch.from_numpy(sight.features(some))
        told.append(
            np.stack(
                [
                    rarity(model.density.log_density(codes), model.latents),
                    unlike(some, back).mean((1, 2)),
                    model.familiar.residual(seen).numpy(),
                ],
                1,
            )
        )
    return np.concatenate(told)


def familiar(features: Float[np.ndarray, "n d"]) -> Familiar:
    """What an extractor sees in pictures with these features."""
    return Familiar.of(torch.from_numpy(features))


def returned(
    model: AutoencoderModel, images: UInt8[np.ndarray, "n h w c"]
) -> UInt8[np.ndarray, "n h w c"]:
    """What the model makes of pictures of which nothing is known."""
    known = torch.zeros(len(images), sum(a.width for a in model.attributes))
    return model.decode(model.encode(images), known)


def unlike(
    images: UInt8[np.ndarray, "n h w c"], back: UInt8[np.ndarray, "n h w c"]
) -> Float[np.ndarray, "n h w"]:
    """Where pictures did not come back, from 0 to 2."""
    shown = (to_float(torch.from_numpy(np.array(each))) for each in (images, back))
    told: np.ndarray = dissimilarity(*shown).numpy()
    return told
