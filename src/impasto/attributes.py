"""What is known of a picture besides its pixels, and how it is told to a network.

A category becomes as many numbers as it has values, one of them 1; a number becomes two, how many
deviations it lies from the mean, and 1. What is not known is all zeros, so that a network learns from
pictures of which little is known, and can be asked for a picture of which little is said.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Float32, Int
from pydantic import PositiveFloat

from impasto.config import configuration
from impasto.errors import ConfigError, nearest

FARTHEST = 20  # deviations from the mean that a number may be asked for


@configuration
class Attribute:
    """One thing that is known of pictures: a category, or (without values) a number."""

    name: str
    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()  # of each value among the pictures of which it is known
    mean: float = 0.0  # of the numbers that are known
    deviation: PositiveFloat = 1.0

    @property
    def width(self) -> int:
        """How many numbers tell it."""
        return len(self.values) or 2

    def of_category(self, indices: Int[np.ndarray, " n"]) -> Float32[np.ndarray, "n width"]:
        """One-hot rows; zeros where the index is -1."""
        told = np.zeros((len(indices), self.width), np.float32)
        known = np.flatnonzero(indices >= 0)
        told[known, indices[known]] = 1
        return told

    def of_number(self, numbers: Float[np.ndarray, " n"]) -> Float32[np.ndarray, "n 2"]:
        """Deviations from the mean, and whether it is known."""
        known = np.isfinite(numbers)
        scaled = np.where(known, (numbers - self.mean) / self.deviation, 0.0)
        return np.stack([scaled, known], 1).astype(np.float32)

    def of_chance(self, chance: Float[np.ndarray, " n"]) -> Float32[np.ndarray, "n width"]:
        """Rows as they occur among pictures, for numbers in (0, 1)."""
        if self.values:
            bounds = np.cumsum(self.shares)[:-1]
            return self.of_category(np.searchsorted(bounds, chance, side="right"))
        deviations = np.array([NormalDist().inv_cdf(float(each)) for each in chance])
        return self.of_number(self.mean + self.deviation * deviations)

    def parse(self, word: str) -> Float32[np.ndarray, "1 width"]:
        """The row for a value as one types it.

        Raises:
            ConfigError: it has no such value.
        """
        if self.values:
            if word not in self.values:
                raise ConfigError(
                    f"--condition {self.name}={word}: no such value: {nearest(word, self.values)}"
                )
            return self.of_category(np.array([self.values.index(word)]))
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not abs(number - self.mean) <= FARTHEST * self.deviation:  # nan too
            raise ConfigError(
                f"--condition {self.name}={word}: is a number, {self.mean:.4g} on average; give one not too far "
                f"from it, such as {self.name}={self.mean + self.deviation:.3g}"
            )
        return self.of_number(np.array([number]))


def width_of(attributes: Sequence[Attribute]) -> int:
    """How many numbers tell all of them."""
    return sum(attribute.width for attribute in attributes)


def attributes_of(
    wanted: Sequence[str],
    label_names: Mapping[str, tuple[str, ...]],
    number_names: Sequence[str],
    labels: Int[np.ndarray, "n columns"],
    numbers: Float[np.ndarray, "n others"],
) -> tuple[Attribute, ...]:
    """The attributes of a set of pictures.

    Args:
        wanted: their names; all by default.
        label_names: the values of each category.
        number_names: the columns of numbers.
        labels: of the pictures that are trained on; -1 where unknown.
        numbers: likewise; nan where unknown.

    Raises:
        ConfigError: a name is none of them, or nothing is known of these pictures.
    """
    names = list(wanted) or [*label_names, *number_names]
    found = []
    for name in names:
        if name in label_names:
            values = tuple(label_names[name])
            column = labels[:, list(label_names).index(name)]
            counts = np.bincount(column[column >= 0], minlength=len(values))
            shares = tuple(float(count) for count in counts / max(counts.sum(), 1))
            found.append(Attribute(name=name, values=values, shares=shares))
        elif name in number_names:
            column = numbers[:, list(number_names).index(name)]
            known = column[np.isfinite(column)]
            mean = float(known.mean()) if len(known) else 0.0
            spread = float(known.std()) if len(known) else 0.0
            found.append(Attribute(name=name, mean=mean, deviation=spread or 1.0))
        else:
            there = [*label_names, *number_names]
            raise ConfigError(
                f"family.condition: {name}: the pictures have no such attribute: {nearest(name, there)}"
                if there
                else f"family.condition: {name}: nothing is known of these pictures; put them into folders "
                "by class, or a table beside them"
            )
    return tuple(found)


def known_of(
    attributes: Sequence[Attribute],
    label_names: Sequence[str],
    number_names: Sequence[str],
    labels: Int[np.ndarray, "n columns"],
    numbers: Float[np.ndarray, "n others"],
) -> Float32[np.ndarray, "n width"]:
    """What is known of pictures, a row for each."""
    parts = [
        attribute.of_category(labels[:, list(label_names).index(attribute.name)])
        if attribute.values
        else attribute.of_number(numbers[:, list(number_names).index(attribute.name)])
        for attribute in attributes
    ]
    empty = np.zeros((len(labels), 0), np.float32)
    return np.concatenate([empty, *parts], 1)


def asked(
    attributes: Sequence[Attribute], words: Sequence[str]
) -> dict[str, Float32[np.ndarray, "1 width"]]:
    """What is asked for, by attribute, as one types it: `smile=yes`, `age=30`, or a value that only one has.

    Raises:
        ConfigError: there is no such attribute or value, or several have the value.
    """
    rows = {}
    by_name = {attribute.name: attribute for attribute in attributes}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            name, value = _owner(attributes, word), word
        if name not in by_name:
            raise ConfigError(f"--condition {word}: no such attribute: {nearest(name, by_name)}")
        if name in rows:
            raise ConfigError(
                f"--condition {' '.join(words)}: says two things of {name}; leave one of them out"
            )
        rows[name] = by_name[name].parse(value)
    return rows


def drawn(
    attributes: Sequence[Attribute],
    words: Sequence[str],
    chance: Float[np.ndarray, "n attributes"],
) -> Float32[np.ndarray, "n width"]:
    """Rows with what is asked for; the rest as it occurs among pictures.

    Args:
        attributes: of the pictures.
        words: as for `asked`.
        chance: numbers in (0, 1).
    """
    rows = asked(attributes, words)
    parts = [
        np.repeat(rows[a.name], len(chance), 0) if a.name in rows else a.of_chance(chance[:, place])
        for place, a in enumerate(attributes)
    ]
    return np.concatenate([np.zeros((len(chance), 0), np.float32), *parts], 1)


def _owner(attributes: Sequence[Attribute], value: str) -> str:
    owners = [attribute.name for attribute in attributes if value in attribute.values]
    if len(owners) == 1:
        return owners[0]
    if owners:
        raise ConfigError(
            f"--condition {value}: several attributes have it; say which: {', '.join(f'{o}={value}' for o in owners)}"
        )
    if not attributes:
        raise ConfigError(
            f"--condition {value}: this model draws without conditions; train a conditional one, such as "
            "--recipe lfw64-cvae"
        )
    for attribute in attributes:
        if attribute.name == value:
            example = attribute.values[0] if attribute.values else f"{attribute.mean:.3g}"
            raise ConfigError(f"--condition {value}: say which, such as {value}={example}")
    there = [f"{a.name}={a.mean:.3g}" for a in attributes if not a.values]
    there += [v for attribute in attributes for v in attribute.values]
    raise ConfigError(f"--condition {value}: no such value: {nearest(value, dict.fromkeys(there))}")
