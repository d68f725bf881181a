import json
import struct

import pytest
import torch

from impasto.errors import DamagedFile
from impasto.nn.weights import read_facts, read_tensors, write_tensors

TENSORS = {
    "a": torch.arange(6.0).view(2, 3),
    "b/step": torch.tensor(3),
    "c": torch.ones(2, 4, 3, 3).to(memory_format=torch.channels_last),
}


def test_tensors_and_facts_come_back(tmp_path):
    path = tmp_path / "w.safetensors"
    write_tensors(path, TENSORS, {"format": 1, "name": "ü"})
    tensors, facts = read_tensors(path)
    assert facts == {"format": 1, "name": "ü"} == read_facts(path)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_one_flipped_bit_is_found(tmp_path):
    path = tmp_path / "w.safetensors"
    write_tensors(path, TENSORS, {})
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        DamagedFile, match=r"w\.safetensors: its contents do not match their checksum"
    ):
        read_tensors(path)


def test_a_changed_fact_is_found(tmp_path):
    path = tmp_path / "w.safetensors"
    write_tensors(path, TENSORS, {"seconds": 1.0})
    path.write_bytes(path.read_bytes().replace(b"1.0}", b"9.0}"))
    assert read_facts(path) == {"seconds": 9.0}
    with pytest.raises(DamagedFile, match="do not match their checksum"):
        read_tensors(path)


@pytest.mark.parametrize("raw", [b"", b"no", b"\xff" * 64, struct.pack("<Q", 2) + b"{}"])
def test_other_files_are_named(tmp_path, raw):
    path = tmp_path / "w.safetensors"
    path.write_bytes(raw)
    with pytest.raises(DamagedFile, match=r"w\.safetensors"):
        read_tensors(path)


def test_facts_must_be_facts(tmp_path):
    path = tmp_path / "w.safetensors"
    header = json.dumps({"__metadata__": {"impasto": "[]", "sha256": ""}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(DamagedFile, match="holds no facts"):
        read_facts(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    write_tensors(path, TENSORS, {"version": "old"})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("impasto.nn.weights.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_tensors(path, TENSORS, {"version": "new"})
    assert read_facts(path) == {"version": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
