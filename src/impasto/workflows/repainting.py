"""Painting at once, by a network that has learnt styles."""

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from impasto.config import from_plain
from impasto.data.original import format_of
from impasto.errors import ConfigError, DamagedFile, ModelError, NotSaved, nearest
from impasto.images import Picture
from impasto.nn.transfer import STRIDE, TransferNetwork
from impasto.nn.weights import read_facts, read_tensors
from impasto.runs.devices import device_of
from impasto.runs.directory import LESSON
from impasto.style.color import KeepColor, recolored
from impasto.style.learning import LearningConfig
from impasto.style.memory import free_memory, peak_memory
from impasto.workflows.settings import Device
from impasto.workflows.staging import Backdrop, backdrop
from impasto.workflows.stylizing import write_painting
from impasto.workflows.teaching import FORMAT

BYTES_BY_WIDTH = 40  # of memory for each pixel and channel of the first layer
OPSET = 18
EXAMPLE = 64  # pixels of the picture that is traced


@dataclass(frozen=True)
class StyleModel:
    """A network that has learnt styles.

    Attributes:
        config: how it learnt, and the styles' names.
        provenance: what it learnt from.
    """

    network: TransferNetwork
    config: LearningConfig
    provenance: dict[str, Any]

    def mix(self, words: Sequence[str]) -> Float[Tensor, "1 styles"]:
        """How much of each style, as typed: names, each perhaps with a weight behind a colon; all alike by default.

        Raises:
            ConfigError: a name that it has not learnt, or a weight that is none.
        """
        names = self.config.styles
        mix = torch.zeros(1, len(names))
        for word in words or names[:1]:
            name, colon, weight = word.rpartition(":")
            name, weight = (name, weight) if colon else (word, "1")
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
        return mix / mix.sum()

    @torch.inference_mode()
    def paint(self, picture: Picture, mix: Float[Tensor, "1 styles"]) -> Picture:
        """The picture, painted; of any size."""
        height, width = picture.shape[2:]
        more = (-width % STRIDE, -height % STRIDE)
        whole = pad(picture, (0, more[0], 0, more[1]), mode="replicate")
        painted: Picture = self.network(whole, mix.to(picture))
        return painted[:, :, :height, :width]


def load_styles(path: str | Path) -> StyleModel:
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
    if facts["format"] > FORMAT:
        raise ModelError(
            f"{place}: written by a newer impasto; upgrade with `pip install --upgrade impasto`"
        )
    config = from_plain(LearningConfig, facts["config"], where=f"{place} (header)")
    tensors, _ = read_tensors(place)
    network = TransferNetwork(config.width, len(config.styles))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise DamagedFile(f"{place}: its weights do not fit its configuration: {first}") from None
    network.eval().requires_grad_(requires_grad=False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return StyleModel(network, config, facts.get("provenance", {}))


def repaint(
    content: str | Path,
    model: str | Path,
    *,
    to: str | Path,
    styles: Sequence[str] = (),
    size: int | None = None,
    keep_color: KeepColor = "no",
    mask: str | Path | None = None,
    memory: float | None = None,
    device: Device = "auto",
) -> dict[str, Any]:
    """Paints a picture by a network that has learnt a style; tells the facts.

    Args:
        content: a picture.
        model: a directory that `train-style` made, or its model.safetensors.
        to: the file that is painted.
        styles: which of its styles, mixed if several; its first by default.
        size: of the longest side in pixels; the picture's own by default.
        keep_color: whose colours the painting has.
        mask: white where it is painted.
        memory: bytes that may be used; most of what is free by default.
        device: where to compute.

    Raises:
        BadInput: a file is not what it should be, or the painting does not fit into the memory.
    """
    to = Path(to)
    format_of(to)
    learnt = load_styles(model)
    mix = learnt.mix(styles)
    stage = backdrop(Path(content), size, Path(mask) if mask else None)
    place = torch.device(device_of(device))
    _check_memory(stage, learnt, memory)
    learnt.network.to(place)
    started = time.monotonic()
    painted = learnt.paint(stage.plain.to(place), mix).cpu()
    seconds = time.monotonic() - started
    if keep_color in {"moments", "palette"}:
        painted = recolored(painted, stage.plain, keep_color)
    try:
        write_painting(painted, stage, keep_color, to)
    except OSError as error:
        raise NotSaved(f"{to}: cannot be written ({error}); make room, or allow it") from None
    height, width = stage.plain.shape[2:]
    return {
        "to": str(to),
        "recipe": "fast",
        "styles": dict(zip(learnt.config.styles, mix[0].tolist(), strict=True)),
        "seconds": round(seconds, 4),
        "steps": 0,
        "content_loss": None,
        "style_loss": None,
        "size": [width, height],
        "peak_memory_bytes": peak_memory(),
    }


def export_styles(model: str | Path, to: str | Path) -> Path:
    """Writes the network as ONNX: `pictures` (n 3 h w in [-1, 1], sides that are multiples of 4) and `mix` (n styles)
    in, `paintings` out.

    Raises:
        ConfigError: the extra is not installed.
        ModelError: there is no such network.
    """
    learnt, to = load_styles(model), Path(to)
    try:
        import onnxscript
    except ImportError:
        raise ConfigError(
            f"{to}: ONNX files need an extra; pip install 'impasto[export]'"
        ) from None
    del onnxscript
    count = len(learnt.config.styles)
    pictures = torch.zeros(2, 3, EXAMPLE, EXAMPLE + STRIDE)
    mix = torch.full((2, count), 1 / count)
    some = torch.export.Dim
    height, width = STRIDE * some("h"), STRIDE * some("w")
    with _quiet():
        program = torch.onnx.export(
            learnt.network.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            (pictures, mix),
            input_names=["pictures", "mix"],
            output_names=["paintings"],
            dynamic_shapes={"pictures": {0: some("n"), 2: height, 3: width}, "mix": {0: some("n")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(to)
    return to


@contextmanager
def _quiet() -> Iterator[None]:
    """Torch's exporter tells of its own parts' age, and of a torchvision that nobody needs."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _check_memory(stage: Backdrop, learnt: StyleModel, memory: float | None) -> None:
    height, width = stage.plain.shape[2:]
    needed = height * width * learnt.config.width * BYTES_BY_WIDTH
    limit = memory or free_memory()
    if needed > limit:
        raise ConfigError(
            f"a painting of {width} x {height} takes {needed / 1e9:.1f} GB at once, and there are {limit / 1e9:.1f}; "
            "paint it smaller with --size"
        )
