"""Painting one picture in the manner of another."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
import torch

from impasto.config import override
from impasto.data.original import Original, format_of, write_original
from impasto.errors import ConfigError, NotSaved, RunError
from impasto.events import Event, Finished, Started, Tick
from impasto.holds import Hold
from impasto.images import Picture, float_to_levels
from impasto.nn.vgg import Padding, Pooling
from impasto.recipes import find_painting
from impasto.runs.checkpoint import State
from impasto.runs.devices import device_name, device_of
from impasto.runs.directory import PAINTING, Run
from impasto.runs.work import Bench
from impasto.style.color import KeepColor, finished
from impasto.style.config import PyramidConfig, StyleConfig, settings_of
from impasto.style.judging import Distances, distances, onlooker, seams
from impasto.style.loss_network import LossNetwork, network_name
from impasto.style.memory import Plan, peak_memory, plan_memory
from impasto.style.painter import Painter, layers, painter_of
from impasto.style.published import PublishedLoop
from impasto.style.scene import LEAST_SIDE, resized
from impasto.style.tiles import grid
from impasto.version import __version__
from impasto.views.film import check_film, make_film
from impasto.workflows.reading import written
from impasto.workflows.staging import Backdrop, Order, Staged, named, resized_where, stage
from impasto.workflows.underway import Underway, kept, take_up, usable_state

Device = Literal["auto", "cpu", "cuda", "mps"]
EVERY = 10  # steps between two printed losses, as the published loop has it


class Seeing(TypedDict):
    """How a loss network looks."""

    pooling: Pooling
    padding: Padding


class Painting(Underway):
    """A painting under way: an iterator over its events. Leaving it, in whatever way, writes the picture as it is.

    Attributes:
        to: where the picture goes.
        config: the recipe.
        plan: how it fits into memory.
    """

    def __init__(
        self,
        bench: Bench[Painter],
        staged: Staged,
        config: StyleConfig,
        to: Path,
        plan: Plan,
        *,
        film: Path | None = None,
        lock: Hold | None = None,
    ) -> None:
        self.to, self.config, self.plan = to, config, plan
        self._bench, self._staged, self._film = bench, staged, film
        before = bench.run.events() if bench.run is not None else ()
        self._losses = [_told(event) for event in before if isinstance(event, Tick)]
        self._seconds, self._reason = bench.seconds, "budget"
        super().__init__(kept(bench, lock, to.stem, self._note, self._write))

    def finish(self) -> dict[str, Any]:
        """The facts, once the last step is done."""
        self.exhaust()
        return self.facts()

    @property
    def painter(self) -> Painter:
        """What paints: how many steps are done, what was spent, and the picture as it is."""
        return self._bench.work

    def distances(self) -> Distances:
        """How far what is painted is from its content and from its styles, by one yardstick for all recipes."""
        scene = self._staged.scene.to(torch.device("cpu"))
        styles = [(style.picture, style.weight) for part in scene.parts for style in part.styles]
        return distances(
            onlooker(self.config.network), self.painter.picture.cpu(), scene.content, styles
        )

    def facts(self) -> dict[str, Any]:
        """What came of it: seconds, steps, losses of the last step and all that were told, size, memory."""
        painter = self.painter
        peak = peak_memory(painter.picture.device)
        height, width = self._staged.plain.shape[2:]
        last = self._losses[-1] if self._losses else {}
        return {
            "to": str(self.to),
            "recipe": self.config.name,
            "network": self.config.network,
            "seconds": round(self._seconds, 3),
            "steps": painter.done,
            "reason": self._reason,
            "content_loss": last.get("content"),
            "style_loss": last.get("style"),
            **self.distances().to_plain(),
            "size": [width, height],
            "peak_memory_bytes": peak,
            "estimated_memory_bytes": self.plan.total,
            "tile": self.plan.tiling.side if self.plan.tiling else None,
            "seams": self._seams(),
            "teraflops": round(painter.flops() / 1e12, 3),
            **({"features": painter.shapes()} if isinstance(painter, PublishedLoop) else {}),
            "losses": self._losses,
        }

    def _seams(self) -> float | None:
        """How much more pixels differ across tiles' edges than elsewhere, where there are tiles."""
        painted, tiling = self.painter.picture, self.plan.tiling
        if tiling is None:
            return None
        tiles = list(grid(*painted.shape[2:], side=tiling.side, margin=tiling.margin))
        return round(seams(painted, tiles), 4) if len(tiles) > 1 else None

    def _note(self, event: Event) -> None:
        if isinstance(event, Tick):
            self._seconds = event.seconds
            self._losses.append(_told(event))
        elif isinstance(event, Finished):
            self._seconds, self._reason = event.seconds, event.reason

    def _write(self) -> None:
        painted = self.painter.picture.cpu()
        plain = self._staged.plain
        if painted.shape != plain.shape:  # it was left at a smaller size
            painted = resized(painted, *plain.shape[2:])
        write_painting(painted, self._staged, self.config.keep_color, self.to)
        if self._film is not None and self._bench.run is not None:
            make_film(self._bench.run.frames(), self._film)


def write_painting(painted: Picture, stage: Backdrop, keep: KeepColor, to: Path) -> None:
    """Writes a painting as its content came: depth, opacity and profile.

    Raises:
        NotSaved: the disk is full, or cannot be written.
    """
    original = stage.content
    whole = finished(painted, stage.plain, keep)
    if stage.paint is not None:  # what was not painted keeps its own colours too
        whole = torch.lerp(stage.plain, whole, stage.paint)
    kind = original.levels.dtype
    levels = float_to_levels(whole, original.largest).numpy().astype(kind)
    opacity = original.opacity
    if opacity is not None:
        opacity = _opacity_like(opacity, levels.shape[:2])
    try:
        write_original(Original(levels, opacity, original.profile), to)
    except OSError as error:
        raise NotSaved(f"{to}: cannot be written ({error}); make room, or allow it") from None


def _told(event: Tick) -> dict[str, float]:
    losses = {name: event.scalars[name] for name in ("content", "style", "total")}
    return {"step": event.images_seen, **losses}


def _opacity_like(opacity: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    whole = torch.from_numpy(opacity.astype(np.float32))
    largest = float(np.iinfo(opacity.dtype).max)
    found = resized_where(whole / largest, (size[0], size[1])) * largest
    return found.round().numpy().astype(opacity.dtype)


def stylize(
    content: str | Path,
    styles: Sequence[str | Path],
    *,
    to: str | Path,
    recipe: str = "pyramid",
    size: int | None = None,
    steps: int | None = None,
    keep_color: KeepColor | None = None,
    masks: Sequence[str | Path] = (),
    regions: Sequence[str | Path] = (),
    start: str | Path | None = None,
    settings: tuple[str, ...] = (),
    memory: float | None = None,
    device: Device = "auto",
    run: str | Path | None = None,
    film: str | Path | None = None,
) -> Painting:
    """A painting of the content in the manner of the styles, under way.

    Args:
        content: a picture.
        styles: pictures, each with its weight behind a colon if it is not 1, such as `wave.jpg:2`.
        to: the file that is painted.
        recipe: a recipe's name or file.
        size: of the painting's longest side, in pixels; the recipe's by default.
        steps: in all; the recipe's by default.
        keep_color: whose colours it has.
        masks: where it is painted, white; one for all styles or one for each.
        regions: the content's parts in flat colours, and then each style's.
        start: a picture to begin with, instead of the content.
        settings: fields of the recipe, such as `painter.strength=0.7`.
        memory: bytes that may be used; most of what is free by default.
        device: where to compute.
        run: a directory to keep everything in, to resume from.
        film: a file for a film of the process; needs `run`.

    Raises:
        BadInput: a file is not what it should be, weights are missing, or nothing fits into the memory.
    """
    config = configured(recipe, size=size, steps=steps, keep_color=keep_color, settings=settings)
    to = written(to)
    format_of(to)
    if film is not None:
        if run is None:
            raise ConfigError(
                "--film: is made of what a run keeps; name a directory with --run too"
            )
        check_film(written(film, "--film"))
    order = Order(
        Path(content),
        tuple(named(str(style)) for style in styles),
        tuple(map(Path, masks)),
        tuple(map(Path, regions)),
        Path(start) if start else None,
    )
    staged = _staged(config, order, memory)
    bench, plan = _bench(config, staged, order, memory=memory, device=device)
    lock = None
    if run is not None:
        facts = {
            "format": 1,
            "kind": PAINTING,
            "order": order.to_plain(),
            "to": str(to.resolve()),
            "film": str(Path(film).resolve()) if film else None,
            "memory": memory,
            "fingerprint": bench.fingerprint,
            "environment": {"impasto": __version__, "torch": torch.__version__},
        }
        held = Run.create(Path(run), config, facts)
        started = replace(bench.started, run=str(held.path))
        bench, lock = replace(bench, run=held, started=started), held.claim()
    return Painting(bench, staged, config, to, plan, film=Path(film) if film else None, lock=lock)


def kind_of(run: str | Path) -> str:
    """What a run's directory is of: `painting`, `style`, or else `training`, though there be none."""
    path = Path(run)
    return Run(path).kind if (path / "run.json").is_file() else "training"


def resume_painting(
    run: str | Path, *, device: Device | None = None, memory: float | None = None
) -> Painting:
    """A painting taken up again at its last saved state, under way.

    Args:
        run: the run's directory.
        device: where to compute.
        memory: bytes that may be used; as when it was begun by default.

    Raises:
        BadInput: its pictures changed, somebody else is painting it, or no state of it can be used.
    """
    held = Run.open(Path(run))
    facts, config = held.facts, held.style
    order = Order.from_plain(facts["order"])
    memory = memory or facts.get("memory")
    staged = _staged(config, order, memory)
    if order.fingerprint() != facts["fingerprint"]:
        raise RunError(
            f"{held.path}: the pictures are not those that this painting was begun with; restore them, or begin "
            "a new one with `impasto stylize`"
        )
    state, damaged = usable_state(held, settings_of(config))
    bench, plan = _bench(
        config, staged, order, memory=memory, device=device or "auto", run=held, state=state
    )
    lock = take_up(held, state, damaged, config)
    film = Path(facts["film"]) if facts["film"] else None
    return Painting(bench, staged, config, Path(facts["to"]), plan, film=film, lock=lock)


def seeing(config: StyleConfig) -> Seeing:
    """How the loss network pools and pads for a recipe: as published for that one alone."""
    if isinstance(config.painter, PyramidConfig):
        return {"pooling": config.painter.pooling, "padding": "replicate"}
    return {"pooling": "max", "padding": "zeros"}


def configured(
    recipe: str,
    *,
    size: int | None,
    steps: int | None,
    keep_color: KeepColor | None,
    settings: tuple[str, ...],
) -> StyleConfig:
    """The recipe with what was typed put in, and the network named that is on this machine.

    Raises:
        ConfigError: there is no such recipe or field, or a value does not fit.
        WeightsError: no network's weights are on this machine.
    """
    if size is not None and size < LEAST_SIDE:
        raise ConfigError(f"--size {size}: at least {LEAST_SIDE} pixels")
    if steps is not None and steps < 1:
        raise ConfigError(f"--steps {steps}: must be above zero")
    given = {"size": size, "keep_color": keep_color, "painter.steps": steps}
    typed = (f"{name}={value}" for name, value in given.items() if value is not None)
    config = override(find_painting(recipe), (*typed, *settings))
    return replace(config, network=network_name(config.network))


def _staged(config: StyleConfig, order: Order, memory: float | None) -> Staged:
    pyramid = config.painter if isinstance(config.painter, PyramidConfig) else None
    if pyramid is None and (len(order.styles) > 1 or order.masks or order.regions or order.start):
        raise ConfigError(
            f"recipe {config.name}: is for one style, without masks, regions or a start of one's own; leave "
            "--recipe out for more"
        )
    scale = pyramid.scale if pyramid else 1.0
    return stage(order, size=config.size, scale=scale, keep_color=config.keep_color, memory=memory)


def _bench(
    config: StyleConfig,
    staged: Staged,
    order: Order,
    *,
    memory: float | None,
    device: Device,
    run: Run | None = None,
    state: State | None = None,
) -> tuple[Bench[Painter], Plan]:
    """The painting before its first step, or where its state was, and how it fits into memory."""
    place = torch.device(device_of(device))
    wanted = layers(config, config.network)
    network = LossNetwork.published(config.network, wanted, **seeing(config), device=place)
    height, width = staged.plain.shape[2:]
    plan = plan_memory(network, height, width, config, memory, regions=staged.scene.weighed)
    scene = staged.scene.to(place)
    start = None if staged.start is None else staged.start.to(place)
    painter = painter_of(plan.applied(config), network, scene, tiling=plan.tiling, start=start)
    if state is not None:
        painter.restore({name: value.to(place) for name, value in state.tensors.items()})
    started = Started(
        images_seen=painter.done,
        run=str(run.path) if run else "",
        recipe=config.name,
        pictures=1 + len(order.styles),
        held_out=0,
        budget=f"{painter.steps:,} steps",
        device=device_name(place),
        processes=1,
        precision="32-bit",
        parameters={config.network: sum(p.numel() for p in network.parameters())},
    )
    bench: Bench[Painter] = Bench(
        painter,
        started,
        run,
        order.fingerprint(),
        settings_of(config),
        EVERY,
        state.seconds if state else 0.0,
    )
    return bench, plan
