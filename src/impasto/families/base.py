"""The two narrow waists: a Family is what trains, a Model is what is left when training is over.

Everything upstream (data, the loop, the run's directory) knows only families; everything downstream
(samples, scores, reports) knows only models. A family is one file: its configuration, its networks,
its step.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from impasto.seeds import Streams
from impasto.types import ImageShape, Lever, Progress

Scalars = dict[str, Tensor | float]  # tensors stay on the device until a tick reads them


@dataclass(frozen=True)
class Batch:
    """This process's slice of a batch."""

    images: Float[Tensor, "n c h w"]  # in [-1, 1]
    labels: Int64[Tensor, "n k"]  # one column an attribute; -1 where unknown


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


class Model(ABC):
    """A trained generator of pictures."""

    shape: ImageShape
    provenance: dict[str, Any]  # where it comes from: data, images seen, version

    @abstractmethod
    def sample(self, n: int, seed: int = 0) -> UInt8[np.ndarray, "n h w c"]:
        """`n` pictures; picture i of a seed is the same whatever `n` is."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The weights, by name."""


@dataclass(frozen=True)
class Tiny:
    """A family's smallest useful member, for tests and first looks."""

    config: Any
    shape: ImageShape = field(default_factory=lambda: ImageShape(3, 16))


class Family(ABC):
    """What trains. It knows no paths, no loader and no logging."""

    tiny: ClassVar[Tiny]

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
