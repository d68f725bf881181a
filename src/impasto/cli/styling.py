"""What each command that paints does."""

from functools import partial
from typing import TYPE_CHECKING

from impasto.cli import painted, render, styles
from impasto.cli.answers import json_text
from impasto.cli.typed import memory_of, refuse
from impasto.cli.verbs import paint, run, teach
from impasto.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from impasto.workflows.exhibiting import Paint
    from impasto.workflows.stylizing import Painting

# What says how to look for a painting, where --fast has nothing to look for; and what only single pictures have.
SLOW = [
    "recipe",
    "detail",
    "regions",
    "start",
    "compare",
    "steps",
    "seed",
    "network",
    "set",
    "run",
    "film",
]
STILL = ["mask", "regions", "run", "film", "compare"]


@run.register
def stylize(command: styles.Stylize) -> None:
    """Paints and shows how it goes."""
    from impasto.workflows.exhibiting import compare_settings, many
    from impasto.workflows.filming import is_video

    several = command.compare is not None or many(command.content, command.styles)
    if several and (command.run or command.film):
        raise ConfigError("--run and --film: are for one painting, and there will be several")
    if command.fast is not None:
        learnt = "not for --fast, whose network has learnt all that; leave it out, or --fast"
        refuse(command, SLOW, learnt)
    else:
        named = "names what a network has learnt; say --fast DIR too, or name a painting"
        refuse(command, ("style",), named)
    if not is_video(command.content):
        refuse(command, ("unsteady",), "is for videos")
    if is_video(command.content):
        _film(command)
    elif command.fast is not None:
        _paint_at_once(command)
    elif command.compare is not None:
        told = compare_settings(
            command.content, command.styles, command.to, command.compare, _painter(command)
        )
        print(json_text(told) if command.json else painted.compared(told))
    elif several:
        _exhibit(command, command.styles, _painter(command))
    else:
        paint(_begin(command, command.content, command.styles, command.to), as_json=command.json)


def _painter(command: styles.Stylize) -> "Paint":
    def paint_one(
        content: "Path", manners: "Sequence[str]", to: "Path", settings: tuple[str, ...]
    ) -> "dict[str, Any]":
        return _begin(command, content, manners, to, settings).finish()

    return paint_one


def _exhibit(command: styles.Stylize, manners: "Sequence[str]", painter: "Paint") -> None:
    """Every pair of them."""
    from impasto.workflows.exhibiting import stylize_many

    with render.Stages(quiet=command.json) as stages:
        report = partial(stages, "painting pairs")
        found = stylize_many(command.content, manners, command.to, painter, report=report)
    print(json_text(found.to_plain()) if command.json else painted.exhibited(found))
    if found.failed or found.interrupted:
        raise SystemExit(1)


def _begin(
    command: styles.Stylize,
    content: "Path",
    manners: "Sequence[str]",
    to: "Path",
    settings: tuple[str, ...] = (),
) -> "Painting":
    """A painting as the command wants it, of this pair."""
    from impasto.workflows.stylizing import stylize

    return stylize(
        content,
        manners,
        to=to,
        recipe=command.recipe,
        size=command.size,
        steps=command.steps,
        keep_color=command.keep_color,
        masks=command.mask,
        regions=command.regions,
        start=command.start if command.start not in {None, "content", "noise"} else None,
        settings=(*_settings(command), *settings),
        memory=memory_of(command.memory),
        device=command.device or "auto",
        run=command.run,
        film=command.film,
    )


def _film(command: styles.Stylize) -> None:
    from impasto.workflows.filming import repaint_video, stylize_video

    names = [*STILL, *(["memory"] if command.fast is not None else [])]
    names += ["start"] if command.start not in {"content", "noise"} else []
    refuse(command, names, "not for videos; leave it out")
    with render.Stages(quiet=command.json) as stages:
        report = partial(stages, "painting frames")
        if command.fast is not None:
            told = repaint_video(
                command.content,
                command.fast,
                to=command.to,
                styles=(*command.styles, *command.style),
                size=512 if command.size is None else command.size,
                strength=command.strength,
                scale=command.scale,
                keep_color=command.keep_color or "no",
                device=command.device or "auto",
                steady=not command.unsteady,
                report=report,
            )
        else:
            told = stylize_video(
                command.content,
                command.styles,
                to=command.to,
                recipe=command.recipe,
                size=command.size,
                steps=command.steps,
                keep_color=command.keep_color,
                settings=_settings(command),
                memory=memory_of(command.memory),
                device=command.device or "auto",
                steady=not command.unsteady,
                report=report,
            )
    print(json_text(told.to_plain()) if command.json else painted.filmed(told))


def _paint_at_once(command: styles.Stylize) -> None:
    from impasto.workflows.exhibiting import many
    from impasto.workflows.learnt import load_styles
    from impasto.workflows.repainting import repaint

    if len(command.mask) > 1:
        raise ConfigError("--mask: a network that paints at once takes one")
    learnt = load_styles(command.fast or "")
    manners = (*command.styles, *command.style)
    several = many(command.content, manners)

    def paint_one(
        content: "Path", manners: "Sequence[str]", to: "Path", settings: tuple[str, ...] = ()
    ) -> "dict[str, Any]":
        del settings
        return repaint(
            content,
            learnt,
            to=to,
            styles=manners,
            size=command.size,
            strength=command.strength,
            scale=command.scale,
            keep_color=command.keep_color or "no",
            mask=command.mask[0] if command.mask else None,
            memory=memory_of(command.memory),
            device=command.device or "auto",
            judged=command.json and not several,
        )

    if several:
        _exhibit(command, manners or learnt.names, paint_one)
    else:
        told = paint_one(command.content, manners, command.to)
        print(json_text(told) if command.json else painted.repainted(told))


@run.register
def train_style(command: styles.TrainStyle) -> None:
    """Teaches and shows how it goes."""
    from impasto.workflows.repainting import check_exported, export_styles
    from impasto.workflows.teaching import train_style

    if command.onnx is not None:
        check_exported(command.onnx)
    given = {
        "size": command.size,
        "strength": command.strength,
        "detail": command.detail,
        "scale": command.scale,
        "seed": command.seed,
    }
    typed = [f"{name}={value}" for name, value in given.items() if value is not None]
    with render.Stages(quiet=command.json) as stages:
        training = train_style(
            command.styles,
            command.content,
            to=command.to,
            minutes=command.minutes,
            images=command.images,
            steps=command.steps,
            arbitrary=command.arbitrary,
            settings=(*typed, *(setting for group in command.set for setting in group)),
            device=command.device or "auto",
            limit=command.limit,
            report=partial(stages, "preparing pictures"),
        )
    teach(training, as_json=command.json)
    if command.onnx is not None:
        path = export_styles(training.path, command.onnx)
        if not command.json:
            print(f"ONNX:  {path}")


def _settings(command: styles.Stylize) -> tuple[str, ...]:
    given = {
        "painter.strength": command.strength,
        "painter.detail": command.detail,
        "painter.scale": command.scale,
        "painter.seed": command.seed,
        "painter.start": command.start if command.start in {"content", "noise"} else None,
        "network": command.network,
    }
    typed = [f"{name}={value}" for name, value in given.items() if value is not None]
    return (*typed, *(setting for group in command.set for setting in group))
