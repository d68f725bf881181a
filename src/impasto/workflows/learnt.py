"""Networks that have learnt to paint at once: those that know styles by heart, and those that are shown one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from impasto.config import from_plain
from impasto.errors import ConfigError, DamagedFile, ModelError, nearest
from impasto.images import Picture
from impasto.nn.adaptive import Manner
from impasto.nn.blocks import outlined, placed
from impasto.nn.transfer import STRIDE, TransferNetwork
from impasto.nn.vgg import VGG
from impasto.nn.weights import read_facts, read_tensors
from impasto.runs.directory import LESSON
from impasto.style.adaptive import AdaptiveConfig, AdaptiveNetwork, mixed
from impasto.style.learning import LearningConfig
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.style.scene import fitted, resized
from impasto.workflows.staging import Named, brought, named
from impasto.workflows.teaching import FORMAT

MOST_SCALE = 8.0
LOOKED_AT = 1024  # pixels of the longest side that a manner is told from, at most

M = TypeVar("M")  # what a network is told of a manner


class Repainter(ABC, Generic[M]):
    """A network that has learnt to paint at once.

    Attributes:
        provenance: what it learnt from.
        names: of the styles that it knows by heart.
        stride: sides of pictures that it takes are multiples of it.
        bytes_a_pixel: of memory that a painting takes, about.
    """

    stride: int
    bytes_a_pixel: int

    def __init__(
        self, network: nn.Module, provenance: Mapping[str, Any], names: tuple[str, ...] = ()
    ) -> None:
        self.network, self.provenance, self.names = network, provenance, names
        network.eval().requires_grad_(requires_grad=False)

    @abstractmethod
    def manner(
        self, words: Sequence[str], *, longest: int, scale: float | None = None
    ) -> tuple[M, tuple[Named, ...]]:
        """What these words mean, each perhaps with a weight behind a colon; and the paintings, 1 in all.

        Args:
            words: names of styles that it has learnt, or files of paintings.
            longest: pixels of the picture's longest side.
            scale: of brush strokes, where it can be chosen.

        Raises:
            BadInput: a word that says nothing to it.
        """

    @abstractmethod
    def _paint(self, whole: Picture, manner: M, strength: float | None) -> Picture:
        """The painting of a picture whose sides are multiples of the stride."""

    @abstractmethod
    def traced(self, side: int) -> tuple[tuple[Tensor, ...], dict[str, dict[int, Any]]]:
        """Inputs to trace the network with, and by their names which of their sides may be of any length."""

    @torch.inference_mode()
    def paint(self, picture: Picture, manner: M, strength: float | None = None) -> Picture:
        """The picture, painted; of any size."""
        height, width = picture.shape[2:]
        more = (-width % self.stride, -height % self.stride)
        whole = pad(picture, (0, more[0], 0, more[1]), mode="replicate")
        return self._paint(whole, manner, strength)[:, :, :height, :width]


class StyleModel(Repainter[Float[Tensor, "1 styles"]]):
    """A network that knows styles by heart."""

    stride = STRIDE

    def __init__(
        self, network: TransferNetwork, config: LearningConfig, provenance: Mapping[str, Any]
    ) -> None:
        super().__init__(network, provenance, config.styles)
        self.paintings = tuple(map(Path, provenance["styles"]))
        self.bytes_a_pixel = 40 * config.width

    def manner(
        self, words: Sequence[str], *, longest: int, scale: float | None = None
    ) -> tuple[Float[Tensor, "1 styles"], tuple[Named, ...]]:
        """How much of each style; the first one by default."""
        del longest
        if scale is not None:
            raise ConfigError("--scale: this network has learnt its strokes; train it with --scale")
        names = self.names
        mix = torch.zeros(1, len(names))
        for word in words or names[:1]:
            name, colon, weight = word.rpartition(":")
            name, weight = (name, weight) if colon and word not in names else (word, "1")
            if name not in names:
                raise ConfigError(
                    f"--style {word}: this network has learnt no {name}; {nearest(name, names)}"
                )
            try:
                mix[0, names.index(name)] += float(weight)
            except ValueError:
                raise ConfigError(
                    f"--style {word}: {weight} is no weight, such as {name}:2"
                ) from None
        if not (float(mix.min()) >= 0 and 0 < float(mix.sum()) < float("inf")):
            raise ConfigError(
                f"--style {' '.join(words)}: weights are not below zero, and not all zero"
            )
        mix = mix / mix.sum()
        return mix, tuple(map(Named, self.paintings, mix[0].tolist()))

    def _paint(
        self, whole: Picture, manner: Float[Tensor, "1 styles"], strength: float | None
    ) -> Picture:
        if strength is not None:
            raise ConfigError(
                "--strength: this network has learnt how strongly it paints; train it with --strength"
            )
        painted: Picture = self.network(whole, manner.to(whole))
        return painted

    def traced(self, side: int) -> tuple[tuple[Tensor, ...], dict[str, dict[int, Any]]]:
        """Pictures, and a mixture for each."""
        count, some = len(self.names), torch.export.Dim
        pictures = torch.zeros(2, 3, side, side + STRIDE)
        sides = {2: STRIDE * some("h"), 3: STRIDE * some("w")}
        shapes = {"pictures": {0: some("n"), **sides}, "mix": {0: some("n")}}
        return (pictures, torch.full((2, count), 1 / count)), shapes


class AdaptiveModel(Repainter[Manner]):
    """A network that is shown a manner."""

    network: AdaptiveNetwork

    def __init__(
        self, network: AdaptiveNetwork, config: AdaptiveConfig, provenance: Mapping[str, Any]
    ) -> None:
        super().__init__(network, provenance)
        self.stride = network.encoder.stride(network.layers[-1])
        self.bytes_a_pixel = 40 * config.width

    @torch.inference_mode()
    def manner(
        self, words: Sequence[str], *, longest: int, scale: float | None = None
    ) -> tuple[Manner, tuple[Named, ...]]:
        """The statistics of paintings, mixed by their weights."""
        if scale is not None and not 0 < scale <= MOST_SCALE:
            raise ConfigError(f"--scale {scale:g}: above 0, and at most {MOST_SCALE:g}")
        if not words:
            raise ConfigError("no style: name at least one painting after the picture")
        given = [named(word) for word in words]
        total = sum(each.weight for each in given)
        shown = tuple(replace(each, weight=each.weight / total) for each in given)
        place = next(self.network.parameters()).device
        wide = longest * (scale or 1.0)
        seen = []
        for each in shown:
            painting = brought(each.path, wide)
            size = painting.shape[2], painting.shape[3]
            small = fitted(size, min(wide, LOOKED_AT), step=self.stride, enlarged=False)
            seen.append(self.network.manner(resized(painting, *small).to(place)))
        return mixed(seen, [each.weight for each in shown]), shown

    def _paint(self, whole: Picture, manner: Manner, strength: float | None) -> Picture:
        if strength is not None and not 0 <= strength <= 1:
            raise ConfigError(f"--strength {strength:g}: from 0 to 1")
        # What is painted is where it was: between pixels, every step of the way is a picture
        painted = self.network.paint(whole, manner)
        return painted if strength is None else torch.lerp(whole, painted, strength)

    def traced(self, side: int) -> tuple[tuple[Tensor, ...], dict[str, dict[int, Any]]]:
        """Pictures, and as many styles of a size of their own."""
        some, step = torch.export.Dim, self.stride
        pictures, styles = torch.rand(2, 3, side, side + step), torch.rand(2, 3, side + step, side)
        shapes = {
            "pictures": {0: some("n"), 2: step * some("h"), 3: step * some("w")},
            "styles": {0: some("n"), 2: step * some("h2"), 3: step * some("w2")},
        }
        return (pictures, styles), shapes


def load_styles(path: str | Path) -> Repainter[Any]:
    """The network in the directory that `train-style` made, or in a file of it.

    Raises:
        ModelError: there is none, or it is something else.
        DamagedFile: the file was damaged.
    """
    place = Path(path)
    place = place / "model.safetensors" if place.is_dir() else place
    if not place.is_file():
        raise ModelError(
            f"{path}: no network that learnt a style; make one with `impasto train-style PAINTING --content SOURCE "
            f"--to {path}`"
        )
    facts = read_facts(place)
    if facts.get("kind") != LESSON:
        raise ModelError(f"{place}: not a network that learnt a style, but another kind of model")
    if facts.get("format", 0) > FORMAT:
        raise ModelError(
            f"{place}: written by a newer impasto; upgrade with `pip install --upgrade impasto`"
        )
    tensors, _ = read_tensors(place)
    try:
        found = _outlined(facts, where=f"{place} (header)")
        found.network.load_state_dict(tensors, assign=True)
    except KeyError as error:
        raise DamagedFile(f"{place}: its header says nothing of {error}; teach it again") from None
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise DamagedFile(f"{place}: its weights do not fit its configuration: {said}") from None
    found.network.requires_grad_(requires_grad=False)
    placed(found.network, torch.device("cpu"))
    return found


def _outlined(facts: Mapping[str, Any], *, where: str) -> Repainter[Any]:
    """The network that a file tells of, without its weights."""
    provenance = facts["provenance"]
    with outlined():
        if facts["config"]["name"] == "adaptive":
            adaptive = from_plain(AdaptiveConfig, facts["config"], where=where)
            return AdaptiveModel(_adaptive(adaptive, facts["encoder"]), adaptive, provenance)
        config = from_plain(LearningConfig, facts["config"], where=where)
        network = TransferNetwork(config.width, len(config.styles))
        return StyleModel(network, config, provenance)


def _adaptive(config: AdaptiveConfig, encoder: Mapping[str, Any]) -> AdaptiveNetwork:
    kind = KINDS[config.network]
    seeing = VGG(kind.depth, kind.style[3], padding="replicate")
    mean, deviation = (tuple(encoder[name]) for name in ("mean", "deviation"))
    return AdaptiveNetwork(LossNetwork(seeing, kind, mean, deviation), config.width, config.codes)
