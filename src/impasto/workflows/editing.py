"""Changing pictures by what they show: directions among latents that attributes taught."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from impasto.attributes import Attribute
from impasto.data.prepared import Prepared
from impasto.data.spread import evenly
from impasto.errors import BadInput, ConfigError, nearest
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.sight import Sight
from impasto.families.coder import AutoencoderModel
from impasto.latents.directions import (
    FEWEST,
    direction_of_score,
    effects,
    probabilities,
    towards,
)
from impasto.sheets import tile
from impasto.workflows.coding import asked_row
from impasto.workflows.pictures import Report
from impasto.workflows.reading import Opened, codes_of, opened, pictures, written
from impasto.workflows.results import PICTURES, write_picture
from impasto.workflows.walking import latents_of, seeded

LEARNT_FROM = 4_000  # pictures, or draws of a GAN
STRONGEST = 20


def edit(
    path: str | Path,
    to: str | Path,
    *,
    change: Sequence[str],
    labelled: str | Path,
    edited: Sequence[str | Path] = (),
    seeds: Sequence[int] = (),
    condition: Sequence[str] = (),
    extractor: str = "mobilenet-v2",
    report: Report | None = None,
) -> Path:
    """Draws pictures before and after changes of attributes, two rows.

    A change leads from what a picture most likely shows otherwise to what is asked for; strength 1 is as far as these
    are apart, two deviations of a number. Several are made at once. A conditional model is told the change too, for its
    latents hold what its conditions do not say.

    Args:
        path: a run's directory or a model.safetensors file.
        to: a .png, .jpg or .webp file.
        change: such as `happiness`, `eyes5:0.5`, `age:-1`.
        labelled: pictures with attributes, from which directions are learnt.
        edited: pictures to change.
        seeds: or pictures that the model draws.
        condition: what they show, of a conditional model.
        extractor: what recognises attributes in a GAN's draws.
        report: told how many of the labelled pictures are done.

    Raises:
        BadInput: model, pictures or attributes cannot be used, or nothing can be written there.
    """
    target = Path(to)
    if target.suffix.lower() not in PICTURES:
        raise BadInput(f"--to {target}: name a .png, .jpg or .webp file")
    if bool(edited) == bool(seeds):
        raise ConfigError("edit: name pictures, or --seeds, and not both")
    model = opened(path)
    prepared = pictures(labelled, model.data, report=report)
    wanted = [parsed(word, prepared) for word in change]
    if not wanted:
        raise ConfigError(f"edit: say what to --change: {', '.join(_possible(prepared)[:12])}")
    known = torch.from_numpy(asked_row(model.model, condition))
    latents = latents_of(model, edited, known) if edited else seeded(model, seeds, known)
    ways = Ways(model, prepared, extractor, report)
    moved = latents.clone()
    for name, value, strength in wanted:
        moved += strength * torch.from_numpy(ways(name, value, latents.numpy()))
    told = [
        each.expand(len(latents), -1)
        for each in (known, changed(model.model.attributes, known, wanted))
    ]
    rows = model.model.decode(torch.cat([latents, moved]), torch.cat(told))
    write_picture(tile(rows, len(latents)), written(target))
    return target


def parsed(word: str, prepared: Prepared) -> tuple[str, str | None, float]:
    """Attribute, value (none of a number) and strength of a change as one types it.

    Raises:
        ConfigError: there is no such attribute.
    """
    what, colon, strength = word.rpartition(":")
    if not colon:
        what, strength = word, "1"
    try:
        far = float(strength)
    except ValueError:
        far = math.nan
    if not abs(far) <= STRONGEST:
        raise ConfigError(
            f"--change {word}: {strength} is no strength from -{STRONGEST} to {STRONGEST}; say such as {what}:0.5"
        )
    name, equals, value = what.partition("=")
    if not equals and name in prepared.number_names:
        return name, None, far
    owners = [n for n, values in prepared.label_names.items() if what in values]
    if not equals and len(owners) == 1:
        return owners[0], what, far
    if equals and value in prepared.label_names.get(name, ()):
        return name, value, far
    if not (there := _possible(prepared)):
        raise ConfigError(
            f"--change {word}: nothing is known of these --labelled pictures; put them into folders by class, or a "
            "table beside them"
        )
    raise ConfigError(
        f"--change {word}: the pictures have no such attribute: {nearest(what, there)}"
    )


def changed(
    attributes: Sequence[Attribute],
    known: Float[Tensor, "1 k"],
    wanted: Sequence[tuple[str, str | None, float]],
) -> Float[Tensor, "1 k"]:
    """What a conditional model is told after changes: the value, as far as its strength goes; a number, moved on by so
    many deviations.
    """
    told, start = known.clone(), 0
    for attribute in attributes:
        row = told[:, start : start + attribute.width]
        for name, value, strength in wanted:
            if name != attribute.name:
                continue
            if value in attribute.values:
                there = torch.from_numpy(
                    attribute.of_category(np.array([attribute.values.index(value)]))
                )
                row.lerp_(there, min(max(strength, 0.0), 1.0))
            elif value is None and not attribute.values:
                row.copy_(torch.tensor([[float(row[0, 0]) + strength, 1.0]]))
        start += attribute.width
    return told


class Ways:
    """Directions among a model's latents, learnt from labelled pictures when they are asked for."""

    def __init__(
        self, model: Opened, prepared: Prepared, extractor: str, report: Report | None
    ) -> None:
        self._model, self._prepared = model, prepared
        self._positions = evenly(np.arange(len(prepared)), LEARNT_FROM)
        self._extractor, self._report = extractor, report
        self._codes: Float[np.ndarray, "n z"] | None = None
        self._found: dict[str, Float[np.ndarray, "k z"]] | None = None
        self._drawn: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def __call__(
        self, name: str, value: str | None, latents: Float[np.ndarray, "m z"]
    ) -> Float[np.ndarray, "m z"]:
        """The way of each of these latents towards a value, or towards larger numbers.

        Raises:
            ConfigError: too few pictures have it, or all.
        """
        prepared, positions = self._prepared, self._positions
        if value is None:
            numbers = prepared.numbers(positions)[:, prepared.number_names.index(name)]
            there = np.isfinite(numbers)
            marked = numbers > np.median(numbers[there]) if there.any() else there
        else:
            labels = prepared.labels(positions)[:, list(prepared.label_names).index(name)]
            there = labels >= 0
            marked = labels == prepared.label_names[name].index(value)
        enough = min(int(marked[there].sum()), int((~marked[there]).sum()))
        if enough < FEWEST:
            raise ConfigError(
                f"--change {name if value is None else value}: {enough} of the labelled pictures tell it apart, and a "
                f"direction is learnt from {FEWEST} with and {FEWEST} without"
            )
        if not isinstance(self._model.model, AutoencoderModel):
            return np.tile(self._of_draws(there, marked), (len(latents), 1))
        codes, found = self._own_codes(self._model.model), self._effects(self._model.model)
        if value is None:
            return np.tile(2 * found[name][0], (len(latents), 1))
        values = prepared.label_names[name]
        chances = probabilities(codes[there], labels[there], latents, len(values))
        return towards(values.index(value), found[name], chances)

    def _effects(self, model: AutoencoderModel) -> dict[str, Float[np.ndarray, "k z"]]:
        """What each value of each attribute does to a code, and a deviation of each number."""
        if self._found is None:
            attributes = self._prepared.attributes(self._positions, ())
            known = self._prepared.known(self._positions, attributes)
            ends = np.cumsum([attribute.width for attribute in attributes])[:-1]
            parts = np.split(effects(self._own_codes(model), known), ends)
            self._found = {a.name: part for a, part in zip(attributes, parts, strict=True)}
        return self._found

    def _own_codes(self, model: AutoencoderModel) -> Float[np.ndarray, "n z"]:
        if self._codes is None:
            self._codes = codes_of(model, self._prepared, self._report)[self._positions]
        return self._codes

    def _of_draws(
        self, there: Bool[np.ndarray, " n"], marked: Bool[np.ndarray, " n"]
    ) -> Float[np.ndarray, " z"]:
        """What a classifier of real pictures says of a GAN's draws takes the place of labels."""
        if self._drawn is None:
            sight = Sight(find_extractor(self._extractor))
            model, blocks = self._model.model, range(LEARNT_FROM // 64)
            known = [model.known(1, block) for block in blocks]
            latents = torch.cat([model.draw(1, block, known[block]) for block in blocks])
            images = model.decode(latents, torch.cat(known))
            real = sight.of_prepared(self._prepared, self._positions, self._report)
            self._drawn = real, sight.features(images, self._report), latents.numpy()
        real, seen, latents_ = self._drawn
        scale = real.std(0) + 1e-6
        classifier = LogisticRegression(C=0.01, max_iter=500, class_weight="balanced")
        classifier.fit(real[there] / scale, marked[there])
        said = classifier.decision_function(seen / scale)
        return direction_of_score(latents_, said)


def _possible(prepared: Prepared) -> list[str]:
    labels: Mapping[str, tuple[str, ...]] = prepared.label_names
    return [
        *(f"{name}={value}" for name, values in labels.items() for value in values),
        *prepared.number_names,
    ]
