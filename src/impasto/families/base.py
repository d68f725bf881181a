"""The two narrow waists: a Family is what trains, a Model is what is left when training is over.

Everything upstream (data, the loop, the run's directory) knows only families; everything downstream
(samples, scores, reports) knows only models. A family is one file: its configuration, its networks,
its step.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from impasto.attributes import Attribute, drawn
from impasto.images import to_uint8
from impasto.seeds import Streams, stream
from impasto.types import ImageShape, Lever, Progress

Scalars = dict[str, Tensor | float]  # tensors stay on the device until a tick reads them
PROBED = 64  # pictures drawn at each look into a training
REBATCHED = 32  # of which so many are drawn again in other company
BLOCK = 64  # latents drawn together; part of what a seed means, so never to be changed


@dataclass(frozen=True)
class Batch:
    """This process's slice of a batch."""

    images: Float[Tensor, "n c h w"]  # in [-1, 1]
    known: Float[
        Tensor, "n k"
    ]  # what is known of each, as `impasto.attributes` tells it; perhaps nothing


@dataclass(frozen=True)
class Probe:
    """What the networks draw and say at one moment of training, taken without a trace.

    Attributes:
        fakes: of latents that are always the same, by the last weights, as training sees them.
        rebatched: the first of them, drawn again in other company.
        kept: what the model of now would draw of the same latents; other than `fakes` where weights are averaged.
        real_logits: of pictures that are trained on; empty where nobody judges, as the next two.
        held_out_logits: of pictures that are not.
        fake_logits: of `fakes`.
        dead: share of units that answer alike to everything, by network.
        strides: how often each layer enlarges what it gets, from the picture inwards.
    """

    fakes: Float[Tensor, "n c h w"]
    rebatched: Float[Tensor, "again c h w"]
    kept: Float[Tensor, "n c h w"]
    real_logits: Float[Tensor, " r"]
    held_out_logits: Float[Tensor, " v"]
    fake_logits: Float[Tensor, " f"]
    dead: dict[str, Tensor]
    strides: tuple[int, ...]
    told: dict[str, float] = field(default_factory=dict)  # signals that only this family has


class Model(ABC):
    """A trained generator of pictures: latents, and what each stands for.

    Attributes:
        latents: numbers that stand for a picture.
        attributes: what it can be asked for, if it is conditional.
        provenance: where it comes from: data, images seen, version.
    """

    shape: ImageShape
    latents: int
    attributes: tuple[Attribute, ...] = ()
    provenance: dict[str, Any]

    def sample(
        self, n: int, seed: int = 0, condition: Sequence[str] = ()
    ) -> UInt8[np.ndarray, "n h w c"]:
        """`n` pictures; picture i of a seed is the same whatever `n` is.

        Args:
            n: how many.
            seed: of the latents, and of what is not asked for.
            condition: what is asked for, such as `smile=yes`.

        Raises:
            ConfigError: the model does not know what is asked for.
        """
        blocks = []
        for block in range(-(-n // BLOCK)):
            known = self.known(seed, block, condition)
            blocks.append(self.decode(self.draw(seed, block, known), known))
        empty = np.empty((0, self.shape.size, self.shape.size, self.shape.channels), np.uint8)
        return np.concatenate([empty, *blocks])[:n]

    def known(self, seed: int, block: int, condition: Sequence[str] = ()) -> Float[Tensor, "64 k"]:
        """What pictures 64 * block and following are to be like: as asked, and else as in training."""
        chance = torch.rand(
            BLOCK, len(self.attributes), generator=stream(seed, "known", block), dtype=torch.float64
        )
        return torch.from_numpy(
            drawn(self.attributes, condition, chance.clamp(1e-9, 1 - 1e-9).numpy())
        )

    @abstractmethod
    def draw(self, seed: int, block: int, known: Float[Tensor, "64 k"]) -> Float[Tensor, "64 z"]:
        """The latents of pictures 64 * block and following, of which this is known."""

    @torch.inference_mode()
    def decode(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> UInt8[np.ndarray, "n h w c"]:
        """The pictures that latents stand for, of which this is known."""
        shape = (0, self.shape.size, self.shape.size, self.shape.channels)
        parts = [torch.empty(shape, dtype=torch.uint8)]
        for start in range(0, len(latents), BLOCK):
            some = slice(start, start + BLOCK)
            parts.append(to_uint8(self.pictured(latents[some], known[some])).cpu())
        return torch.cat(parts).numpy()

    @abstractmethod
    def pictured(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """The same in [-1, 1] or a little beyond, and with gradients."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The weights, by name."""


class Encoder(Protocol):
    """A model that also finds the latents of a picture."""

    def encode(
        self, images: UInt8[np.ndarray, "n h w c"], known: Float[Tensor, "n k"] | None = None
    ) -> Float[Tensor, "n z"]:
        """The latents of pictures; the same for a picture in any batch."""
        ...


@dataclass(frozen=True)
class Tiny:
    """A family's smallest useful member, for tests and first looks."""

    config: Any
    shape: ImageShape = field(default_factory=lambda: ImageShape(3, 16))


class Family(ABC):
    """What trains. It knows no paths, no loader and no logging."""

    tiny: ClassVar[Tiny]
    conditional: ClassVar[bool] = (
        False  # whether it is nothing without being told what pictures show
    )

    settles: ClassVar[bool] = False  # whether its model is given a prior when training ends

    @classmethod
    def attributes(cls, config: Any) -> tuple[Attribute, ...]:
        """What the networks are told of pictures beside their pixels."""
        found: tuple[Attribute, ...] = getattr(config, "attributes", ())
        return found

    @classmethod
    @abstractmethod
    def networks(cls, config: Any, shape: ImageShape) -> dict[str, nn.Module]:
        """The networks by name, freshly initialised.

        Raises:
            ConfigError: this configuration cannot make pictures of this shape.
        """

    @abstractmethod
    def __init__(self, config: Any, shape: ImageShape, streams: Streams) -> None: ...

    @abstractmethod
    def step(self, batch: Batch, progress: Progress) -> Scalars:
        """One step of training; `progress` is as it was before the step."""

    @abstractmethod
    def probe(self, real: Batch, held_out: Batch, company: int) -> Probe:
        """What the networks draw and say now; leaves no trace in them.

        Args:
            real: pictures that are trained on; the same in all processes.
            held_out: pictures that are not; perhaps none.
            company: pictures that training draws at once.
        """

    @classmethod
    @abstractmethod
    def relief(cls, config: Any, lever: Lever) -> dict[str, Any]:
        """The fields of a configuration to change, with their new values; none where nothing is left to give."""

    @abstractmethod
    def adapt(self, config: Any) -> None:
        """Goes on by another configuration, which differs in fields that `relief` names."""

    @abstractmethod
    def model(self) -> Model:
        """The model as it would be if training ended now, independent of what comes after."""

    @classmethod
    @abstractmethod
    def revive(cls, config: Any, shape: ImageShape, weights: Mapping[str, Tensor]) -> Model:
        """The model whose `state` these weights are.

        Raises:
            RuntimeError: the weights do not fit the configuration.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as named tensors."""

    @abstractmethod
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Becomes the family whose `state` this was."""
