"""What each command does: calls its workflow and renders what comes back."""

from collections import deque
from contextlib import closing
from functools import partial, singledispatch
from typing import TYPE_CHECKING

from impasto.cli import commands, painted, render
from impasto.cli.answers import json_text
from impasto.cli.health import health
from impasto.cli.typed import memory_of, refuse
from impasto.data.config import Subject
from impasto.errors import ConfigError
from impasto.events import Event, Finished, to_json

if TYPE_CHECKING:
    from impasto.workflows.stylizing import Painting
    from impasto.workflows.teaching import StyleTraining
    from impasto.workflows.training import Training

TRAINED = ("devices", "evaluate_every", "patience")  # what only trainings are resumed with


@singledispatch
def run(command: object) -> None:
    """Does what the command says."""
    raise TypeError(f"no such command: {command!r}")


@run.register
def recipes(command: commands.Recipes) -> None:
    """Lists recipes, or prints one."""
    from impasto.recipes import PAINTINGS, describe, find_painting, find_recipe, listing

    match command.words:
        case ():
            rows = list(listing())
            print(
                json_text(rows, indent=2) if command.json else render.recipe_table(rows, PAINTINGS)
            )
        case ("show", name):
            recipe = find_painting(name) if name in PAINTINGS else find_recipe(name)
            print(_dump(recipe) if command.json else describe(recipe), end="")
        case words:
            raise ConfigError(
                f"recipes {' '.join(words)}: say `impasto recipes` or `impasto recipes show NAME`"
            )


@run.register
def inspect(command: commands.Inspect) -> None:
    """Prints what a source holds and what to make of it; draws the page where one is asked for."""
    from impasto.workflows.inspecting import inspect

    with render.Stages(quiet=command.json) as stages:
        found = inspect(
            command.source,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            labels=command.labels,
            frame_step=command.frame_step,
            html=command.html,
            report=partial(stages, "looking at pictures"),
        )
    plain = found.to_plain()
    print(json_text(plain, indent=2) if command.json else health(plain))
    if command.html is not None and not command.json:
        print(f"page: {command.html}")


@run.register
def prepare(command: commands.Prepare) -> None:
    """Prepares a source and prints the counts."""
    import time

    from impasto.workflows.pictures import prepare

    started = time.monotonic()
    with render.Stages(quiet=command.json) as stages:
        prepared = prepare(
            command.source,
            command.to,
            size=command.size,
            crop=command.crop,
            channels=command.channels,
            background=command.background,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            labels=command.labels,
            frame_step=command.frame_step,
            subject=_subject(command),
            rules=command.rules,
            workers=command.workers,
            engine=command.engine,
            shards=command.shards,
            report=partial(stages, "preparing pictures"),
        )
    seconds = time.monotonic() - started
    facts = {
        "found": prepared.found,
        "kept": prepared.kept,
        "rejected": prepared.reasons(),
        "seconds": round(seconds, 3),
        "pictures_per_second": round(prepared.found / max(seconds, 1e-9), 1),
        "to": str(command.to),
        "notices": prepared.notices,
    }
    print(json_text(facts) if command.json else render.preparation(facts, prepared.rejects()))


def _subject(command: commands.Prepare) -> Subject:
    from impasto.config import from_plain

    plain = {
        "name": command.subject,
        "preset": command.detector,
        "grow": command.grow,
        "border": command.border,
        "boxes": command.boxes,
        "smallest": command.smallest,
        "scale_factor": command.scale_factor,
        "neighbors": command.neighbors,
        "score": command.score,
    }
    return from_plain(Subject, plain, where="--subject")


@run.register
def review(command: commands.Review) -> None:
    """Serves the page of a review until Ctrl-C, and says where it stands then."""
    from impasto.studio.reviewing import review

    counts = review(
        command.set,
        port=command.port,
        browser=not command.no_browser,
        announce=lambda address: print(f"review: {address}", flush=True),
    )
    print(render.reviewed(counts.kept, counts.rejected, counts.by_hand), flush=True)


@run.register
def train(command: commands.Train) -> None:
    """Trains and shows it."""
    from impasto.workflows.training import train

    with render.Stages(quiet=command.json) as stages:
        training = train(
            command.source,
            recipe=command.recipe,
            to=command.to,
            minutes=command.minutes,
            images=command.images,
            epochs=command.epochs,
            steps=command.steps,
            settings=tuple(setting for group in command.set for setting in group),
            seed=command.seed,
            device=command.device,
            devices=command.devices,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            evaluate_every=command.evaluate_every,
            patience=command.patience,
            heal=command.heal,
            report=partial(stages, "preparing pictures"),
        )
    watch(training, as_json=command.json)


@run.register
def resume(command: commands.Resume) -> None:
    """Goes on with a run, of a training or of a painting, and shows it."""
    from impasto.workflows.stylizing import kind_of, resume_painting
    from impasto.workflows.teaching import resume_lesson
    from impasto.workflows.training import resume

    match kind_of(command.run):
        case "painting":
            budget = "a painting's steps belong to its recipe; begin another with `impasto stylize`"
            refuse(command, ("minutes", "images", "epochs", "steps"), budget)
            refuse(command, TRAINED, "for trainings, and this is a painting; leave it out")
            painting = resume_painting(
                command.run, device=command.device, memory=memory_of(command.memory)
            )
            paint(painting, as_json=command.json)
            return
        case "style":
            names = ("epochs", "memory", *TRAINED)
            refuse(command, names, "not for a network that learns styles; leave it out")
            lesson = resume_lesson(
                command.run,
                minutes=command.minutes,
                images=command.images,
                steps=command.steps,
                device=command.device,
            )
            teach(lesson, as_json=command.json)
            return
        case _:
            refuse(command, ("memory",), "for paintings, and this is a training; leave it out")

    with render.Stages(quiet=command.json) as stages:
        training = resume(
            command.run,
            minutes=command.minutes,
            images=command.images,
            epochs=command.epochs,
            steps=command.steps,
            device=command.device,
            devices=command.devices,
            evaluate_every=command.evaluate_every,
            patience=command.patience,
            report=partial(stages, "preparing pictures"),
        )
    watch(training, as_json=command.json)


def paint(painting: "Painting", *, as_json: bool) -> None:
    """Shows a painting as it comes about, and what came of it."""
    if as_json:
        print(json_text(painting.finish()))
        return
    for _ in painted.painted(painting):
        pass
    print(painted.hung(painting.facts()))


def teach(training: "StyleTraining", *, as_json: bool) -> None:
    """Shows a network as it learns styles, and where it is."""
    for event in training if as_json else painted.painted(training):
        if as_json:
            print(to_json(event), flush=True)
    facts = {"to": str(training.path), "model": str(training.path / "model.safetensors")}
    told = f"paint: impasto stylize PICTURE --fast {training.path} --to painting.png"
    print(json_text(facts) if as_json else told)


@run.register
def sample(command: commands.Sample) -> None:
    """Draws pictures and says where they are."""
    from impasto.workflows.results import sample

    files = sample(
        command.model,
        command.n,
        seed=command.seed,
        condition=command.condition,
        to=command.to,
    )
    where = str(files[0] if len(files) == 1 else files[0].parent)
    facts = {"pictures": command.n, "seed": command.seed, "to": where}
    print(json_text(facts) if command.json else f"{command.n} pictures: {where}")


@run.register
def evaluate(command: commands.Evaluate) -> None:
    """Scores and prints the scores."""
    from impasto.workflows.evaluating import evaluate, page_of

    with render.Stages(quiet=command.json) as stages:
        evaluation = evaluate(
            command.what,
            command.against,
            extractor=command.extractor,
            pictures=command.pictures,
            among=command.among,
            split=command.split,
            size=command.size,
            soften=command.soften,
            seed=command.seed,
            classes=command.classes,
            only=command.only,
            device=command.device,
            html=command.html,
            report=stages,
        )
    if command.json:
        print(json_text(evaluation.to_plain()))
        return
    print(evaluation)
    if (page := page_of(command.what, command.html)) is not None:
        print(f"page: {page}")


@run.register
def doctor(command: commands.Doctor) -> None:
    """Prints what ails a run."""
    from impasto.workflows.examination import doctor

    found = doctor(command.run)
    print(json_text(found.to_plain()) if command.json else render.examination(found))


@run.register
def compare(command: commands.Compare) -> None:
    """Compares and prints the table."""
    from impasto.workflows.comparing import compare

    with render.Stages(quiet=command.json) as stages:
        comparison = compare(
            *command.runs,
            against=command.against,
            extractor=command.extractor,
            pictures=command.pictures,
            among=command.among,
            split=command.split,
            soften=command.soften,
            seed=command.seed,
            device=command.device,
            html=command.html,
            report=stages,
        )
    print(json_text(comparison.to_plain()) if command.json else render.comparison(comparison))


@run.register
def weights(command: commands.Weights) -> None:
    """Lists published weights, or gets some."""
    from impasto.workflows.weights import get_weights, weights

    if command.name is None:
        if command.base is not None:
            raise ConfigError(
                f"--from {command.base}: say which weights, as in `impasto weights NAME`"
            )
        rows = [held.to_plain() for held in weights()]
        print(json_text(rows, indent=2) if command.json else render.weights_listing(rows))
        return
    with render.Stages(quiet=command.json, amount=render.BYTES) as stages:
        held = get_weights(
            command.name, base=command.base, report=partial(stages, f"downloading {command.name}")
        )
    print(json_text(held.to_plain()) if command.json else f"{command.name}: {held.path}")


@run.register
def report(command: commands.Report) -> None:
    """Draws a run's report and says where it is."""
    from impasto.workflows.reporting import report

    path = report(command.run, film=command.film)
    print(json_text({"report": str(path)}) if command.json else f"report: {path}")


@run.register
def demo(command: commands.Demo) -> None:
    """The main job on the built-in kittens."""
    run(commands.Train(source="kittens", recipe="kittens", to=command.to, minutes=command.minutes))


def watch(training: "Training", *, as_json: bool, quiet: bool = False) -> None:
    """Shows events as they come, then draws the report; or only trains."""
    from impasto.workflows.reporting import report

    with closing(training):
        if quiet or not training.first:
            for _ in training:
                pass
            return
        shown = (_print_json(event) for event in training) if as_json else render.watch(training)
        (last,) = deque(shown, maxlen=1)
    path = report(training.path)
    if as_json:
        print(
            json_text({"event": "reported", "run": str(training.path), "report": str(path)}),
            flush=True,
        )
    else:
        render.farewell(
            training.path, path, finished=isinstance(last, Finished) and last.reason == "budget"
        )


def _print_json(event: Event) -> Event:
    print(to_json(event), flush=True)
    return event


def _dump(recipe: object) -> str:
    from impasto.config import to_plain

    return json_text(to_plain(recipe), indent=2) + "\n"
