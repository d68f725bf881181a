"""What each command that uses a model's latents does."""

from functools import partial
from typing import TYPE_CHECKING

from impasto.cli import render, uses
from impasto.cli.answers import json_text
from impasto.cli.verbs import run, watch
from impasto.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@run.register
def encode(command: uses.Encode) -> None:
    """Encodes and says how much."""
    from impasto.workflows.coding import encode

    with render.Stages(quiet=command.json) as stages:
        pictures, latents = encode(
            command.model,
            command.source,
            command.to,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            report=partial(stages, "encoding pictures"),
        )
    facts = {"pictures": pictures, "latents": latents, "to": str(command.to)}
    told = f"{pictures:,} pictures, {latents} numbers each: {command.to}"
    print(json_text(facts) if command.json else told)


@run.register
def decode(command: uses.Decode) -> None:
    """Decodes and says where."""
    from impasto.workflows.coding import decode

    files = decode(command.model, command.codes, command.to, condition=command.condition)
    facts = {"files": len(files), "to": str(command.to)}
    print(json_text(facts) if command.json else f"pictures: {command.to}")


@run.register
def interpolate(command: uses.Interpolate) -> None:
    """Draws a way and says where."""
    from impasto.workflows.walking import interpolate

    with render.Stages(quiet=command.json) as stages:
        path = interpolate(
            command.model,
            command.to,
            between=command.between,
            seeds=command.seeds,
            way=command.way,
            steps=command.steps,
            condition=command.condition,
            report=partial(stages, "looking for latents"),
        )
    _told_where(path, as_json=command.json)


@run.register
def edit(command: uses.Edit) -> None:
    """Edits and says where."""
    from impasto.workflows.editing import edit

    with render.Stages(quiet=command.json) as stages:
        path = edit(
            command.model,
            command.to,
            change=command.change,
            labelled=command.labelled,
            edited=command.pictures,
            seeds=command.seeds,
            condition=command.condition,
            extractor=command.extractor,
            report=partial(stages, "learning directions"),
        )
    _told_where(path, as_json=command.json)


@run.register
def invert(command: uses.Invert) -> None:
    """Inverts and says how well."""
    from impasto.workflows.walking import invert

    with render.Stages(quiet=command.json) as stages:
        found = invert(
            command.model,
            command.picture,
            command.to,
            steps=command.steps,
            seed=command.seed,
            condition=command.condition,
            report=partial(stages, "looking for latents"),
        )
    facts = {"mean_squared_error": found.error, "to": str(command.to)}
    told = f"mean squared error {found.error:.4f} of pixels in [-1, 1]: {command.to}"
    print(json_text(facts) if command.json else told)


@run.register
def index(command: uses.Index) -> None:
    """Indexes and says how well likeness is told."""
    from impasto.workflows.searching import index

    with render.Stages(quiet=command.json) as stages:
        found = index(
            command.source,
            command.to,
            model=command.model,
            extractor=command.extractor,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            report=partial(stages, "looking at pictures"),
        )
    if command.json:
        facts = {
            "pictures": found.pictures,
            "added": found.added,
            "removed": found.removed,
            "dimensions": found.dimensions,
            "recall": found.recalls,
            "recall_of": found.truth,
            "to": str(command.to),
        }
        print(json_text(facts))
        return
    print(
        f"{found.pictures:,} pictures, {found.added:,} of them new, {found.removed:,} gone: {command.to}"
    )
    for name, recall in found.recalls.items():
        print(f"recall by {name}: {recall:.3f} ({found.truth})")


@run.register
def search(command: uses.Search) -> None:
    """Searches and lists what was found."""
    from impasto.workflows.searching import search

    found = search(
        command.index,
        command.picture,
        count=command.k,
        to=command.to,
        model=command.model,
        extractor=command.extractor,
    )
    if command.json:
        rows = [{"name": each.name, "likeness": each.likeness} for each in found]
        print(json_text({"found": rows, "to": str(command.to) if command.to else None}))
        return
    for each in found:
        print(f"{each.likeness:6.3f}  {each.name}")
    if command.to is not None:
        print(f"picture: {command.to}")


@run.register
def map_(command: uses.Map) -> None:
    """Draws a map and says where."""
    from impasto.workflows.mapping import map_pictures

    with render.Stages(quiet=command.json) as stages:
        found = map_pictures(
            command.source,
            command.to,
            model=command.model,
            extractor=command.extractor,
            method=command.method,
            clusters=command.clusters,
            least=command.least,
            projection=command.projection,
            sheets=command.sheets,
            seed=command.seed,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            report=partial(stages, "looking at pictures"),
        )
    if command.json:
        print(json_text(found.to_plain()))
        return
    print(
        f"{found.pictures:,} pictures in {found.clustering}, {found.alone:,} in none; placed by {found.projection}"
    )
    print(f"map: {found.path}")


@run.register
def anomalies(command: uses.Anomalies) -> None:
    """Looks for what is odd, after learning what is normal if there is no model yet."""
    from impasto.workflows.oddities import anomalies, learn_normals

    model, normal = command.model, command.normal
    if model is not None and (command.to or command.minutes):
        raise ConfigError(
            "--to, --minutes: are for learning, and --model has learnt; leave them out"
        )
    if model is None:
        if normal is None:
            raise ConfigError("anomalies: name --model, or --normal pictures to learn from")
        with render.Stages(quiet=command.json) as stages:
            training = learn_normals(
                normal,
                to=command.to,
                minutes=command.minutes or 10.0,
                classes=command.normal_classes,
                report=partial(stages, "preparing pictures"),
            )
        model, normal = training.path, None
        watch(training, as_json=False, quiet=command.json)
    with render.Stages(quiet=command.json) as stages:
        found = anomalies(
            model,
            command.check,
            normal=normal,
            rate=command.rate,
            normal_classes=command.normal_classes,
            heat=command.heat,
            classes=command.classes,
            only=command.only,
            limit=command.limit,
            report=partial(stages, "looking at pictures"),
        )
    told = found.to_plain() | {"model": str(model)}
    print(json_text(told) if command.json else render.anomalies(found))


@run.register
def compress(command: uses.Compress) -> None:
    """Compresses and says what it cost, and what it would by others."""
    from impasto.workflows.compressing import compress

    with render.Stages(quiet=command.json) as stages:
        found = compress(
            command.source,
            command.to,
            model=command.model,
            step=command.step,
            compare=not command.alone,
            report=partial(stages, "compressing pictures"),
        )
    if command.json:
        print(json_text({"pictures": [each.to_plain() for each in found]}))
    else:
        print(f"{render.compression(found)}: {command.to}")


@run.register
def decompress(command: uses.Decompress) -> None:
    """Decompresses and says where."""
    from impasto.workflows.compressing import decompress

    with render.Stages(quiet=command.json) as stages:
        files = decompress(
            command.source,
            command.to,
            model=command.model,
            report=partial(stages, "decompressing pictures"),
        )
    facts = {"files": len(files), "to": str(command.to)}
    print(json_text(facts) if command.json else f"pictures: {command.to}")


def _told_where(path: "Path", *, as_json: bool) -> None:
    print(json_text({"to": str(path)}) if as_json else f"picture: {path}")
