"""What all autoencoders share: an encoder and a decoder that learn one objective, and the model that they leave.

What the objective is, is each family's own file.
"""

import copy
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from impasto.attributes import width_of
from impasto.config import configuration
from impasto.families.base import (
    PROBED,
    REBATCHED,
    Batch,
    Family,
    Model,
    Probe,
    Scalars,
)
from impasto.families.coder import Autoencoder, AutoencoderModel, familiar_in, priors_in, shown
from impasto.nn.autoencoding import Decoder, Encoder, LinearDecoder, LinearEncoder
from impasto.nn.blocks import outlined, placed
from impasto.nn.collectives import global_sum
from impasto.nn.ema import Ema
from impasto.nn.liveness import Liveness
from impasto.nn.player import Player, adam, below
from impasto.nn.priors import Mixture
from impasto.schedules import Cosine, Schedule
from impasto.seeds import Streams, seeded, stream
from impasto.types import ImageShape, Lever, Progress

REMEMBERED = (
    4_096  # codes of pictures that were trained on last, which the prior follows while training
)
FEWEST = 8  # codes below which the prior stays standard normal
RIDGE = 1e-3  # of the mean variance, added to a covariance of few codes
SLOWEST_RATE, BRISK_RATE, QUICKEST_RATE = 1e-5, 1e-4, 3e-3  # that remedies go to; see gan.py


@configuration
class CommonConfig:
    """What every autoencoder is told."""

    latents: PositiveInt = 128
    # convolutional, or linear: one matrix each way, which finds the space of PCA
    network: Literal["convolutional", "linear"] = "convolutional"
    width: PositiveInt = 32  # channels beside the picture; doubled towards the latents
    learning_rate: PositiveFloat = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)  # of Adam
    schedule: Schedule = Cosine(final=0.05)
    ema_half_life: NonNegativeInt = 10_000  # images; 0 takes the last weights instead


class Autoencoding(Family):
    """An encoder and a decoder that go down one loss.

    Attributes:
        codes: means of the latents of the pictures that were trained on last.
    """

    config: Any
    settles = True
    variances = True  # whether latents have one

    @classmethod
    def latents_of(cls, config: Any, shape: ImageShape) -> int:
        """How many numbers stand for a picture."""
        del shape
        count: int = config.latents
        return count

    @classmethod
    def networks(cls, config: Any, shape: ImageShape) -> dict[str, nn.Module]:
        """The encoder and the decoder."""
        known = width_of(cls.attributes(config))
        outputs = config.latents * (2 if cls.variances else 1)
        if config.network == "linear":
            return {
                "encoder": LinearEncoder(shape, outputs),
                "decoder": LinearDecoder(shape, config.latents + known),
            }
        return {
            "encoder": Encoder(shape, config.width, outputs),
            "decoder": Decoder(shape, config.width, config.latents + known),
        }

    def __init__(self, config: Any, shape: ImageShape, streams: Streams) -> None:
        self.config, self.shape, self.streams = config, shape, streams
        with seeded(streams.seed, "weights"):
            network = self._network(config, shape)
        placed(network, streams.device)
        ema = Ema(network, config.ema_half_life) if config.ema_half_life else None
        self.autoencoder = Player(
            network, adam(network, config.learning_rate, config.betas), ema=ema
        )
        latents = self.latents_of(config, shape)
        self.codes = torch.zeros(REMEMBERED, latents, device=streams.device)

    @property
    def network(self) -> Autoencoder:
        """Both networks, as they learn."""
        network = self.autoencoder.network
        assert isinstance(network, Autoencoder)
        return network

    @abstractmethod
    def objective(
        self, batch: Batch, progress: Progress
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n z"], Scalars]:
        """What is gone down, the means of the latents, and what is told."""

    def step(self, batch: Batch, progress: Progress) -> Scalars:
        """The encoder and the decoder once, on one batch."""
        config, seen, count = self.config, progress.images_seen, len(batch.images)
        rate = config.learning_rate * config.schedule.factor(progress)
        loss, codes, told = self.objective(batch, progress)
        self.autoencoder.descend(loss, learning_rate=rate)
        self.autoencoder.average(seen, count * self.streams.processes)
        self._remember(codes.detach(), seen)
        return told | {
            "autoencoder_gradient_norm": self.autoencoder.gradient_norm,
            "autoencoder_update_ratio": self.autoencoder.update_ratio,
            "autoencoder_learning_rate": rate,
            "skipped_steps": self.autoencoder.skipped,
        }

    @classmethod
    def relief(cls, config: Any, lever: Lever) -> dict[str, Any]:
        """The learning rate; the rest is for players."""
        rate = config.learning_rate
        wanted = {
            "slow down": max(rate / 4, SLOWEST_RATE),
            "speed up": min(max(rate * 4, BRISK_RATE), QUICKEST_RATE),
        }.get(lever, rate)
        return {} if wanted == rate else {"learning_rate": wanted}

    def adapt(self, config: Any) -> None:
        """Goes on by another configuration."""
        self.config = config

    @torch.no_grad()
    def probe(self, real: Batch, held_out: Batch, company: int) -> Probe:
        """What is drawn from the prior now, and how well pictures come back; leaves no trace."""
        del company  # nothing here depends on it
        network, kept, prior = self.network, self.autoencoder.best, self._prior()
        assert isinstance(kept, Autoencoder)
        generator = stream(0, "probe")
        noise = torch.randn(PROBED, self.codes.shape[1], generator=generator)
        known = real.known[torch.arange(PROBED) % len(real.known)]
        chance = torch.rand(PROBED, generator=generator)
        latents = prior.draw(noise, chance, known).to(real.images.device)
        with Liveness(network) as living:
            fakes = self.decoded(network, latents, known)
            told = self._told(network, real, held_out)
        nothing = torch.zeros(0)
        return Probe(
            fakes=fakes,
            rebatched=self.decoded(network, latents[:REBATCHED], known[:REBATCHED]),
            kept=self.decoded(kept, latents, known),
            real_logits=nothing,
            held_out_logits=nothing,
            fake_logits=nothing,
            dead={"autoencoder": living.dead},
            strides=(),
            told=told,
        )

    def decoded(
        self, network: Autoencoder, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """Pixels in [-1, 1]."""
        return shown(network.decoder(latents, known), logits=self.logits(self.config))

    @classmethod
    def logits(cls, config: Any) -> bool:
        """Whether the decoder tells logits of pixels."""
        del config
        return False

    def model(self) -> AutoencoderModel:
        """The averaged networks as they are now, with a Gaussian for the codes of late."""
        network = copy.deepcopy(self.autoencoder.best)
        assert isinstance(network, Autoencoder)
        return self._model(network, self._prior(), self.config, self.shape)

    @classmethod
    def revive(cls, config: Any, shape: ImageShape, weights: Mapping[str, Tensor]) -> Model:
        """The model whose `state` these weights are."""
        with outlined():
            network = cls._network(config, shape)
        network.load_state_dict(below(weights, "network"), assign=True)
        density, flow = priors_in(weights, cls.latents_of(config, shape), cls.attributes(config))
        placed(network, torch.device("cpu"))
        model = cls._model(network, density, config, shape)
        model.settle(density, flow)
        model.familiar = familiar_in(weights)
        return model

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, and the codes that the prior is made of."""
        told = {f"autoencoder/{path}": value for path, value in self.autoencoder.state().items()}
        return told | {"codes": self.codes}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Becomes the family whose `state` this was."""
        self.autoencoder.restore(below(state, "autoencoder"))
        self.codes.copy_(state["codes"])

    @classmethod
    def _network(cls, config: Any, shape: ImageShape) -> Autoencoder:
        networks = cls.networks(config, shape)
        return Autoencoder(
            networks["encoder"],
            networks["decoder"],
            cls.latents_of(config, shape),
            variances=cls.variances,
        )

    @classmethod
    def _model(
        cls,
        network: Autoencoder,
        density: Mixture,
        config: Any,
        shape: ImageShape,
    ) -> AutoencoderModel:
        return AutoencoderModel(
            network,
            density,
            shape,
            logits=cls.logits(config),
            attributes=cls.attributes(config),
        )

    def _remember(self, codes: Float[Tensor, "n z"], seen: int) -> None:
        """Keeps the codes of this step in the place of the oldest; of all processes, in all of them."""
        count, streams = len(codes), self.streams
        whole = codes.new_zeros(count * streams.processes, codes.shape[1], dtype=torch.float32)
        whole[streams.rank * count : (streams.rank + 1) * count] = codes
        whole = global_sum(whole)
        places = (seen + torch.arange(len(whole), device=codes.device)) % REMEMBERED
        self.codes[places[-REMEMBERED:]] = whole[-REMEMBERED:]

    def _prior(self) -> Mixture:
        """A Gaussian for the codes of late."""
        codes = self.codes.cpu().double()
        codes = codes[(codes != 0).any(1) & codes.isfinite().all(1)]
        if len(codes) < FEWEST:
            return Mixture(codes.shape[1])
        covariance = codes.T.cov(correction=1).reshape(codes.shape[1], -1)
        ridge = covariance.diagonal().mean().clamp_min(1e-6) * RIDGE
        eye = torch.eye(len(covariance), dtype=covariance.dtype)
        return Mixture.of(torch.ones(1), codes.mean(0)[None], (covariance + ridge * eye)[None])

    def _told(self, network: Autoencoder, real: Batch, held_out: Batch) -> dict[str, float]:
        """How well pictures come back, those trained on and those not, and how sharp."""
        told: dict[str, float] = {}
        for side, batch in (("trained", real), ("held_out", held_out)):
            if len(batch.images):
                codes = network.encode(batch.images, batch.known)[0]
                back = self.decoded(network, codes, batch.known)
                told[f"{side}_error"] = float((back - batch.images).square().mean())
                if side == "trained":
                    told["sharpness"] = _detail(back) / max(_detail(batch.images), 1e-9)
        return told


def _detail(images: Float[Tensor, "n c h w"]) -> float:
    """The mean squared difference of neighbouring pixels."""
    across, down = images.diff(dim=3), images.diff(dim=2)
    return float(across.square().mean() + down.square().mean())
