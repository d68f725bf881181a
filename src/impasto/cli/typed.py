"""What was typed: told in other units, or refused where it cannot be heeded."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from impasto.errors import ConfigError

UNITS = {"gb": 1e9, "mb": 1e6, "gib": 2**30, "mib": 2**20, "g": 1e9, "m": 1e6}


def refuse(command: Any, names: Sequence[str], why: str) -> None:
    """What was typed and cannot be heeded is refused, not passed over.

    Args:
        command: as it was typed.
        names: of its fields that must be as they are by default.
        why: what these options are for, and the way out.

    Raises:
        ConfigError: some are not.
    """
    blank = {field.name: field.default for field in fields(command)}
    given = [
        f"--{name.replace('_', '-')}" for name in names if getattr(command, name) != blank[name]
    ]
    if given:
        raise ConfigError(f"{', '.join(given)}: {why}")


def memory_of(text: str | None) -> float | None:
    """Bytes of an amount of memory as it is typed, such as 4GB.

    Raises:
        ConfigError: it is no amount.
    """
    if text is None:
        return None
    number = text.strip().lower().rstrip("gimb")
    unit = text.strip().lower()[len(number) :]
    try:
        amount = float(number) * (UNITS[unit] if unit else 1)
    except (ValueError, KeyError):
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise ConfigError(f"--memory {text}: say how much, such as 4GB or 800MB")
    return amount
