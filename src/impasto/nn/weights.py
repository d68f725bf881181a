"""Tensors on disk: safetensors with facts and a checksum in the header, written whole or not at all."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from impasto.errors import DamagedFile
from impasto.nn.blocks import fold_norms


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes tensors and JSON facts to one file; a crash leaves the old file or none, never half a one.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind.
    """
    flat = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    told = json.dumps(dict(facts))
    header = {"impasto": told, "sha256": checksum(flat, told)}
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.touch()
        mode = (
            draft.stat().st_mode
        )  # as this user's files are; safetensors would hide it from others
        try:
            save_file(flat, draft, metadata=header)
            draft.chmod(mode)
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error
        _flush(draft)
        os.replace(draft, path)
        _flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts that `write_tensors` wrote, unchanged.

    Raises:
        DamagedFile: not such a file, or changed since it was written.
    """
    facts = read_facts(path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if checksum(tensors, header["impasto"]) != header["sha256"]:
        raise DamagedFile(
            f"{path}: its contents do not match their checksum: the file was damaged or changed after "
            "it was written; restore it from a copy, or write it anew"
        )
    return tensors, facts


def read_facts(path: Path) -> dict[str, Any]:
    """The facts in a file's header, without reading its tensors.

    Raises:
        DamagedFile: not a file that `write_tensors` wrote.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
        facts = json.loads(header["impasto"])
        header["sha256"]
    except FileNotFoundError:
        raise DamagedFile(f"{path}: there is no such file") from None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DamagedFile(
            f"{path}: not a safetensors file written by impasto, or damaged ({error}); name a "
            "model.safetensors from a run's directory"
        ) from None
    if not isinstance(facts, dict) or not isinstance(facts.get("format", 0), int):
        raise DamagedFile(f"{path}: its header holds no facts; it was not written by impasto")
    return facts


def load_published(network: nn.Module, path: Path) -> None:
    """Gives the network the weights of a file, for inference only, and folds its batch norms.

    Args:
        network: made under `outlined`.
        path: the published file, whose SHA-256 was checked.

    Raises:
        DamagedFile: the file cannot be read.
    """
    network.load_state_dict(read_published(path), assign=True)
    network.eval().requires_grad_(requires_grad=False)
    fold_norms(network)


def read_published(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a published file, `.safetensors` or torch's own, by their names; nothing in it is run.

    Raises:
        DamagedFile: the file cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise DamagedFile(f"{path} cannot be read ({error}); restore it from a copy") from None
    return state


def checksum(tensors: Mapping[str, Tensor], facts: str) -> str:
    """SHA-256 over the facts' text and the names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
