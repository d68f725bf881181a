"""Configuration: frozen dataclasses to YAML or JSON and back, overrides, and errors that help.

A configuration class is made by `@configuration`: frozen, keyword-only, and closed (an unknown key is
an error, never ignored). The same value is the command line, the recipe's file and a model's header.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, dataclass_transform, get_args

import pydantic
import yaml

from impasto.errors import ConfigError, nearest

T = TypeVar("T")
WORDS = {"no", "yes", "on", "off", "n", "y"}  # that YAML 1.1 took for truth values


@dataclass_transform(frozen_default=True, kw_only_default=True)
def configuration(cls: type[T]) -> type[T]:
    """The class as a frozen, keyword-only dataclass that refuses unknown keys."""
    cls.__pydantic_config__ = {"extra": "forbid", "allow_inf_nan": False}  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True)(cls)


def to_plain(config: object) -> Any:
    """The configuration as dicts, lists, strings and numbers, ready for JSON or YAML."""
    return pydantic.TypeAdapter(type(config)).dump_python(config, mode="json")


def from_plain(cls: type[T], plain: object, *, where: str) -> T:
    """The configuration that `plain` describes, checked.

    Args:
        cls: a class made by `@configuration`.
        plain: dicts, lists, strings and numbers.
        where: what to call it in an error, such as a file's name.

    Raises:
        ConfigError: naming the first field that is wrong, its value, and what would be right.
    """
    try:
        return pydantic.TypeAdapter(cls).validate_python(plain)
    except pydantic.ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error, cls)}") from None


def to_yaml(config: object) -> str:
    """The configuration as YAML, fields in the order of their declaration."""
    plain = to_plain(config)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """YAML that people can read, and that reads back unchanged."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML takes these for line breaks, and folds them, unless they are quoted and escaped.
    style = '"' if any(mark in text for mark in "\r\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def from_yaml(cls: type[T], text: str, *, where: str) -> T:
    """The configuration that a YAML text describes, checked as in `from_plain`."""
    try:
        plain = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(plain, dict):
        raise ConfigError(
            f"{where}: expected fields with values; `impasto recipes show` prints one"
        )
    return from_plain(cls, plain, where=where)


def override(config: T, settings: tuple[str, ...]) -> T:
    """A copy of the configuration with settings such as `train.batch=32` put in.

    Raises:
        ConfigError: a setting that is not `path=value`, an unknown field, or a value it cannot take.
    """
    for setting in settings:
        config = _with(config, setting)
    return config


def _with(config: T, setting: str) -> T:
    path, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set {setting}: expected part.field=value, such as train.batch=32")
    plain = to_plain(config)
    *parents, leaf = path.strip().split(".")
    node: Any = plain
    for name in parents:
        node = _child(node, name, path)
    _child(node, leaf, path)
    _put(node, leaf, scalar(text))
    return from_plain(type(config), plain, where="--set")


def scalar(text: str) -> Any:
    """A value as one types it. Only true and false are truth values; `no` is a word, as in YAML 1.2."""
    if text.strip().lower() in WORDS:
        return text.strip()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _put(node: dict[str, Any], leaf: str, value: Any) -> None:
    # A choice between kinds is written by its name alone (`family.schedule=cosine`); its other fields
    # then take their defaults, for those of the old kind would not fit.
    old = node[leaf]
    if isinstance(old, dict) and isinstance(value, str) and "name" in old:
        value = old if old["name"] == value else {"name": value}
    node[leaf] = value


def _child(node: Any, name: str, path: str) -> Any:
    if isinstance(node, dict) and name in node:
        return node[name]
    hint = nearest(name, node) if isinstance(node, dict) else "nothing is below that"
    raise ConfigError(f"--set {path}: no field {name!r}: {hint}")


def _explain(error: pydantic.ValidationError, cls: type) -> str:
    # A misspelt field is both unknown and missing; the unknown one says more.
    unknown = "unexpected_keyword_argument"
    first = min(error.errors(), key=lambda found: found["type"] != unknown)
    # Pydantic puts the tag of a union into the path; a person did not write it.
    location = [str(part) for part in first["loc"]]
    field = ".".join(_without_tags(location, cls)) or "the whole"
    if first["type"] == unknown:
        *parents, name = location
        known = [f.name for f in fields(holder)] if (holder := _holder(cls, parents)) else []
        return f"unknown field {field}: {nearest(name, known)}"
    if first["type"] == "union_tag_invalid":
        context = first.get("ctx", {})
        tags = [tag.strip("'") for tag in str(context.get("expected_tags")).split(", ")]
        return f"{field}: no kind {context.get('tag')!r}: {nearest(str(context.get('tag')), tags)}"
    if first["type"] in {"missing", "missing_argument"}:
        return f"{field} is missing"
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"{field}: {message.removeprefix('value error, ')}, not {first['input']!r}"


def _without_tags(location: list[str], cls: Any) -> list[str]:
    kept: list[str] = []
    here: Any = cls
    for part in location:
        members = {f.name: f.type for f in fields(here)} if is_dataclass(here) else {}
        if is_dataclass(here) and part in members:
            kept.append(part)
            here = members[part]
        elif chosen := _alternative(here, part):
            here = chosen
        else:
            kept.append(part)
            here = None
    return kept


def _holder(cls: Any, path: list[str]) -> Any:
    here: Any = cls
    for part in path:
        members = {f.name: f.type for f in fields(here)} if is_dataclass(here) else {}
        here = members.get(part) or _alternative(here, part)
    return here if is_dataclass(here) else None


def _alternative(union: Any, tag: str) -> Any:
    """The dataclass of a tagged union whose `name` defaults to `tag`."""
    for member in get_args(union):
        for candidate in (member, *get_args(member)):
            if is_dataclass(candidate):
                names = [f.default for f in fields(candidate) if f.name == "name"]
                if tag in names:
                    return candidate
    return None
