"""A model on disk: weights in safetensors, and in its header all that is needed to use and to cite it."""

from pathlib import Path

from impasto.config import from_plain, to_plain
from impasto.errors import DamagedFile, ModelError
from impasto.families import FAMILIES, Model
from impasto.nn.weights import read_facts, read_tensors, write_tensors
from impasto.runs.config import RunConfig

FORMAT = 1


def write_model(model: Model, config: RunConfig, path: Path) -> None:
    """Writes the model, its configuration and its provenance to one file, whole or not at all."""
    facts = {"format": FORMAT, "config": to_plain(config), "provenance": model.provenance}
    write_tensors(path, model.state(), facts)


def read_model(path: Path) -> Model:
    """The model in a file that `write_model` wrote.

    Raises:
        DamagedFile: not such a file, or changed since it was written.
        ModelError: written by a newer impasto, or its weights do not fit its configuration.
    """
    config = read_config(path)
    tensors, facts = read_tensors(path)
    try:
        model = FAMILIES[config.family.name].revive(config.family, config.shape, tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise DamagedFile(f"{path}: its weights do not fit its configuration: {first}") from None
    model.provenance = facts.get("provenance", {})
    return model


def read_config(path: Path) -> RunConfig:
    """The configuration in the header of a model's file.

    Raises:
        DamagedFile: not such a file, or changed since it was written.
        ModelError: not a model, or written by a newer impasto.
    """
    facts = read_facts(path)
    if "config" not in facts or "format" not in facts:
        raise ModelError(f"{path}: not a model, but perhaps a run's state; name model.safetensors")
    if facts["format"] > FORMAT:
        raise ModelError(
            f"{path}: written in format {facts['format']} by a newer impasto, and this one reads up to "
            f"{FORMAT}; upgrade with `pip install --upgrade impasto`"
        )
    return from_plain(RunConfig, facts["config"], where=f"{path} (header)")
