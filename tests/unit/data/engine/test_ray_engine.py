"""Ray runs in a process of its own: it starts others, and warns about much."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("ray")


def prepare(*arguments, home):
    command = [sys.executable, "-m", "impasto", "prepare", *arguments, "--size", "16", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=home, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_ray_gives_the_same_set_file_by_file(folder, tmp_path):
    root = folder(*(f"{n % 3}/{n:03d}.png" for n in range(150)))
    (root / "0" / "000.png").write_bytes(b"no picture")
    (root / "1" / "copy.png").write_bytes((root / "1" / "001.png").read_bytes())
    told = prepare(str(root), "--to", "ray", "--engine", "ray", "--shards", "2", home=tmp_path)
    plain = prepare(str(root), "--to", "plain", "--shards", "2", home=tmp_path)
    assert (told["found"], told["kept"], told["rejected"]) == (151, 149, plain["rejected"])
    files = sorted(p.name for p in (tmp_path / "plain").iterdir() if p.is_file())
    assert "pixels-00001-of-00002.npy" in files
    for name in files:
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
