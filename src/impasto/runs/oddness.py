"""How odd pictures are to a model: how rare their codes, how badly they come back, how else the result is seen."""

import numpy as np
import torch
from jaxtyping import Float, UInt8

from impasto.evaluation.sight import Sight
from impasto.families.coder import AutoencoderModel
from impasto.images import to_float
from impasto.latents.anomalies import rarity
from impasto.losses.structure import dissimilarity

BLOCK = 256  # pictures


def oddness(
    model: AutoencoderModel, sight: Sight, images: UInt8[np.ndarray, "n h w c"]
) -> Float[np.ndarray, "n 3"]:
    """The rarity of each picture's code, the dissimilarity of what is decoded, and how else an extractor sees it."""
    told = [np.empty((0, 3))]
    for start in range(0, len(images), BLOCK):
        some = images[start : start + BLOCK]
        codes = model.encode(some)
        back = returned(model, some)
        seen = sight.features(np.concatenate([some, back])).astype(np.float64)
        seen /= np.linalg.norm(seen, axis=1, keepdims=True) + 1e-12
        told.append(
            np.stack(
                [
                    rarity(model.density.log_density(codes), model.latents),
                    unlike(some, back).mean((1, 2)),
                    1 - (seen[: len(some)] * seen[len(some) :]).sum(1),
                ],
                1,
            )
        )
    return np.concatenate(told)


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
