"""The fuzz target itself: over random changes always, and under atheris where that can be installed."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import fuzz_decode
import numpy as np
import pytest

from impasto.data import decode


def test_five_hundred_changed_pictures_end_right():
    seeds = list(fuzz_decode.seeds().values())
    assert len(seeds) > 100
    with fuzz_decode.small_pictures():
        for content in fuzz_decode.mutated(np.random.default_rng(0), seeds, 500):
            fuzz_decode.target(content)


def test_the_target_sees_pixels_of_a_wrong_shape(monkeypatch):
    content = fuzz_decode.seeds()["baseline.jpg"]
    fuzz_decode.target(content)
    whole = decode.develop

    def wrong(content, config):
        made = whole(content, config)
        cut = replace(made.cuts[0], pixels=made.cuts[0].pixels[1:, 1:])
        return replace(made, cuts=(cut,))

    monkeypatch.setattr(decode, "develop", wrong)
    with pytest.raises(AssertionError):
        fuzz_decode.target(content)


def test_the_target_sees_reasons_of_two_lines(monkeypatch):
    fuzz_decode.target(b"BM" + bytes(99))
    monkeypatch.setattr(decode, "_failed", lambda _: decode.Undecodable("damaged", "two\nlines"))
    with pytest.raises(AssertionError, match="two"):
        fuzz_decode.target(b"BM" + bytes(99))


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this system")
def test_two_thousand_runs_under_atheris():
    script = Path(fuzz_decode.__file__)
    command = [sys.executable, str(script), "-runs=2000", "-max_total_time=10", "-seed=1"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "stat::number_of_executed_units" in run.stderr
