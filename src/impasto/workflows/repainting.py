"""Painting at once, by a network that has learnt styles."""

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from impasto.data.original import format_of
from impasto.errors import BadInput, ConfigError
from impasto.images import Picture
from impasto.runs.devices import device_of
from impasto.style.color import KeepColor, recolored
from impasto.style.judging import Distances, distances, onlooker
from impasto.style.loss_network import network_name
from impasto.style.memory import free_memory, peak_memory
from impasto.workflows.learnt import Repainter, load_styles
from impasto.workflows.reading import written
from impasto.workflows.settings import Device
from impasto.workflows.staging import Backdrop, Named, backdrop, opened
from impasto.workflows.stylizing import write_painting

OPSET = 18
EXAMPLE = 64  # pixels of the picture that is traced


def repaint(
    content: str | Path,
    model: str | Path | Repainter[Any],
    *,
    to: str | Path,
    styles: Sequence[str] = (),
    size: int | None = None,
    strength: float | None = None,
    scale: float | None = None,
    keep_color: KeepColor = "no",
    mask: str | Path | None = None,
    memory: float | None = None,
    device: Device = "auto",
    judged: bool = False,
) -> dict[str, Any]:
    """Paints a picture by a network that has learnt to; tells the facts.

    Nothing is optimised, so its losses are the distances by the yardstick of all paintings.

    Args:
        content: a picture.
        model: a directory that `train-style` made, or its model.safetensors; or what `load_styles` made of it.
        to: the file that is painted.
        styles: which of its styles, mixed if several, its first by default; or paintings, if it takes any.
        size: of the longest side in pixels; the picture's own by default.
        strength: of the manner, from 0 for the picture as it is to 1, if it takes any; 1 by default.
        scale: of brush strokes, if it takes any manner.
        keep_color: whose colours the painting has.
        mask: white where it is painted.
        memory: bytes that may be used; most of what is free by default.
        device: where to compute.
        judged: tell how far it is from content and manner, if weights and paintings are on this machine.

    Raises:
        BadInput: a file is not what it should be, or the painting does not fit into the memory.
    """
    to = written(to)
    format_of(to)
    learnt = model if isinstance(model, Repainter) else load_styles(model)
    stage = backdrop(Path(content), size, Path(mask) if mask else None, memory)
    _check_memory(stage, learnt, memory)
    place = torch.device(device_of(device))
    learnt.network.to(place)
    started = time.monotonic()
    manner, shown = learnt.manner(styles, longest=max(stage.plain.shape[2:]), scale=scale)
    painted = learnt.paint(stage.plain.to(place), manner, strength).cpu()
    seconds = time.monotonic() - started
    if keep_color in {"moments", "palette"}:
        painted = recolored(painted, stage.plain, keep_color)
    write_painting(painted, stage, keep_color, to)
    height, width = stage.plain.shape[2:]
    peak = peak_memory(place)
    apart = _distances(painted, stage, shown) if judged else None
    return {
        "to": str(to),
        "recipe": "fast",
        "styles": {each.path.stem: each.weight for each in shown},
        "seconds": round(seconds, 4),
        "steps": 0,
        "content_loss": round(apart.content, 5) if apart else None,
        "style_loss": round(apart.style, 5) if apart else None,
        **(apart.to_plain() if apart else {}),
        "size": [width, height],
        "peak_memory_bytes": peak,
    }


def _distances(painted: Picture, stage: Backdrop, shown: Sequence[Named]) -> Distances | None:
    """How far it is from its content and its paintings; None where something to tell it by is missing."""
    try:
        network = onlooker(network_name("auto"))
        styles = [(opened(each.path), each.weight) for each in shown if each.weight]
    except BadInput:
        return None
    return distances(network, painted, stage.plain, styles)


def export_styles(model: str | Path, to: str | Path) -> Path:
    """Writes the network as ONNX. In: `pictures` (n 3 h w in [-1, 1], sides that are multiples of its stride), and
    `mix` (n styles) or, for a network that takes any manner, `styles` (n 3 h w likewise). Out: `paintings`.

    Raises:
        ConfigError: the extra is not installed.
        ModelError: there is no such network.
    """
    learnt, to = load_styles(model), check_exported(to)
    inputs, shapes = learnt.traced(EXAMPLE)
    with _quiet():
        program = torch.onnx.export(
            learnt.network.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            inputs,
            input_names=list(shapes),
            output_names=["paintings"],
            dynamic_shapes=tuple(shapes.values()),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(to)
    return to


def check_exported(to: str | Path) -> Path:
    """The file of a network that will leave as ONNX, before it has learnt anything.

    Raises:
        BadInput: the extra is not installed, or nothing can be written there.
    """
    try:
        import onnxscript
    except ImportError:
        raise ConfigError(
            f"{to}: ONNX files need an extra; pip install 'impasto[export]'"
        ) from None
    del onnxscript
    return written(to, "--onnx")


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


def _check_memory(stage: Backdrop, learnt: Repainter[Any], memory: float | None) -> None:
    height, width = stage.plain.shape[2:]
    needed = height * width * learnt.bytes_a_pixel
    limit = memory or free_memory()
    if needed > limit:
        raise ConfigError(
            f"a painting of {width} x {height} takes {needed / 1e9:.1f} GB at once, and there are {limit / 1e9:.1f}; "
            "paint it smaller with --size"
        )
