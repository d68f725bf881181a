"""What an autoencoder leaves: pictures to codes, codes to pictures, and the priors that new codes are drawn from.

A Gaussian mixture is always there, and tells how rare a code is; where a flow was found to draw better, it draws.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from impasto.attributes import Attribute, width_of
from impasto.families.base import BLOCK, Model
from impasto.images import to_float
from impasto.nn.familiar import Familiar
from impasto.nn.player import below
from impasto.nn.priors import Flow, Mixture, Prior
from impasto.seeds import stream
from impasto.types import ImageShape


class Autoencoder(nn.Module):
    """An encoder and a decoder.

    Attributes:
        variances: whether the encoder tells a variance of each latent beside its mean.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, latents: int, *, variances: bool
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.latents, self.variances = latents, variances

    def encode(
        self, images: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]
    ) -> tuple[Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """The mean of each picture's latents and the log of their variance, which is minus infinity without one."""
        told: Tensor = self.encoder(images, known)
        if self.variances:
            mean, log_variance = told.chunk(2, 1)
            return mean, log_variance.clamp(-20, 10)
        return told, torch.full_like(told, -torch.inf)


class AutoencoderModel(Model):
    """An encoder, a decoder, and what new latents are drawn from.

    Attributes:
        density: of the codes of pictures like those of training.
        flow: what draws codes, where that is better than drawing from the density.
        familiar: what a pretrained network sees in pictures like those of training; None until training has ended.
    """

    def __init__(
        self,
        network: Autoencoder,
        density: Mixture,
        shape: ImageShape,
        *,
        logits: bool = False,
        attributes: tuple[Attribute, ...] = (),
    ) -> None:
        self.network = network.eval().requires_grad_(requires_grad=False)
        self.latents, self.shape, self.attributes = network.latents, shape, attributes
        self._logits = logits  # whether the decoder tells logits of pixels
        self.provenance: dict[str, Any] = {}
        self.settle(density)
        self.familiar: Familiar | None = None

    def settle(self, density: Mixture, flow: Flow | None = None) -> None:
        """Draws from these priors from now on."""
        self.density = density.cpu().eval().requires_grad_(requires_grad=False)
        self.flow = flow if flow is None else flow.cpu().eval().requires_grad_(requires_grad=False)

    @property
    def prior(self) -> Prior:
        """What draws codes."""
        return self.density if self.flow is None else self.flow

    def draw(self, seed: int, block: int, known: Float[Tensor, "64 k"]) -> Float[Tensor, "64 z"]:
        """The latents of pictures 64 * block and following, from the prior."""
        generator = stream(seed, "sample", block)
        noise = torch.randn(BLOCK, self.latents, generator=generator)
        return self.prior.draw(noise, torch.rand(BLOCK, generator=generator), known)

    def pictured(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """The pictures in [-1, 1] or a little beyond, with gradients."""
        device = next(self.network.parameters()).device
        decoded = self.network.decoder(latents.to(device), known.to(device))
        return shown(decoded, logits=self._logits)

    def encode(
        self, images: UInt8[np.ndarray, "n h w c"], known: Float[Tensor, "n k"] | None = None
    ) -> Float[Tensor, "n z"]:
        """The means of the pictures' latents, so that a picture has the same ones in any batch."""
        return self.posterior(images, known)[0]

    @torch.inference_mode()
    def posterior(
        self, images: UInt8[np.ndarray, "n h w c"], known: Float[Tensor, "n k"] | None = None
    ) -> tuple[Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """The mean of each picture's latents and their deviation, which is 0 without a variance."""
        device = next(self.network.parameters()).device
        rows = torch.zeros(len(images), width_of(self.attributes)) if known is None else known
        means, deviations = [torch.empty(0, self.latents)], [torch.empty(0, self.latents)]
        for start in range(0, len(images), BLOCK):
            part = torch.from_numpy(np.array(images[start : start + BLOCK]))
            mean, log_variance = self.network.encode(
                to_float(part.to(device)), rows[start : start + BLOCK].to(device)
            )
            means.append(mean.cpu())
            deviations.append(torch.exp(log_variance / 2).cpu())
        return torch.cat(means), torch.cat(deviations)

    def state(self) -> dict[str, Tensor]:
        """The weights, by name."""
        parts: dict[str, nn.Module] = {"network": self.network, "density": self.density}
        if self.flow is not None:
            parts["flow"] = self.flow
        if self.familiar is not None:
            parts["familiar"] = self.familiar
        return {
            f"{part}/{name}": value
            for part, module in parts.items()
            for name, value in module.state_dict().items()
        }


def priors_in(
    weights: Mapping[str, Tensor], latents: int, attributes: tuple[Attribute, ...]
) -> tuple[Mixture, Flow | None]:
    """The priors among a model's weights."""
    told = below(weights, "density")
    density = Mixture(latents, len(told.get("shares", torch.zeros(1))))
    density.load_state_dict(told)
    told = below(weights, "flow")
    if not told:
        return density, None
    flow = Flow(latents, width_of(attributes), len(told["last.weight"][0]))
    flow.load_state_dict(told)
    return density, flow


def familiar_in(weights: Mapping[str, Tensor]) -> Familiar | None:
    """What is familiar to the model whose weights these are."""
    told = below(weights, "familiar")
    if not told:
        return None
    found = Familiar(len(told["mean"]), len(told["directions"]))
    found.load_state_dict(told)
    return found


def shown(decoded: Float[Tensor, "n c h w"], *, logits: bool) -> Float[Tensor, "n c h w"]:
    """What a decoder tells as pixels in [-1, 1]."""
    return torch.tanh(decoded / 2) if logits else decoded  # tanh(x / 2) = 2 sigmoid(x) - 1
