from pathlib import Path

import pytest

from impasto.data import crew
from impasto.data.config import DataConfig
from impasto.data.crew import run
from impasto.data.jobs import Job
from impasto.data.reasons import Reason
from impasto.data.work import Block

CONFIG = DataConfig(size=8)


def job(first: int, *payloads: bytes | Path) -> Job:
    names = tuple(str(first + place) for place in range(len(payloads)))
    empty = tuple(() for _ in payloads)
    return Job(first, Block(payloads, CONFIG), names, empty, empty)


def test_outcomes_come_in_order(encoded):
    work = [job(4 * k, *(encoded(4 * k + i) for i in range(4))) for k in range(9)]
    alone = list(run(iter(work), 0))
    together = list(run(iter(work), 3))
    assert [job.first for job, _ in together] == [4 * k for k in range(9)]
    assert [shas(outcomes) for _, outcomes in together] == [shas(o) for _, o in alone]
    assert all(outcome.reason is None for _, outcomes in together for outcome in outcomes)


def shas(outcomes):
    return [outcome.sha256 for outcome in outcomes]


def test_few_jobs_are_held_at_a_time(encoded):
    taken = 0

    def work():
        nonlocal taken
        for k in range(40):
            taken += 1
            yield job(k, encoded(k))

    results = run(work(), 2)
    next(results)
    assert taken <= 5
    results.close()


@pytest.fixture
def fatal(tmp_path, monkeypatch):
    """Makes workers crash on one word and hang on another."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\n"
        "from impasto.data import work\n"
        "def read(payload, read=work.read):\n"
        "    if payload == b'crash': os._exit(11)\n"
        "    if payload == b'hang': time.sleep(600)\n"
        "    return read(payload)\n"
        "work.read = read\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(crew, "PATIENCE", 12.0)


@pytest.mark.usefixtures("fatal")
@pytest.mark.parametrize("word", [b"crash", b"hang"])
def test_a_picture_that_brings_a_worker_down_is_the_only_one_lost(word, encoded):
    work = [job(0, encoded(0), word, encoded(1)), job(3, encoded(2))]
    (_, first), (_, second) = run(iter(work), 2)
    assert [outcome.reason for outcome in first] == [
        None,
        Reason("damaged", "it brought the decoder down"),
        None,
    ]
    assert [outcome.reason for outcome in second] == [None]


def test_leaving_early_ends_all_workers(encoded):
    results = run((job(k, encoded(k)) for k in range(50)), 2)
    before = children()
    next(results)
    assert len(children()) == len(before) + 2
    results.close()
    assert children() == before


def children() -> list[str]:
    """The processes that this one has started, ended but not awaited ones too."""
    lists = Path("/proc/self/task").glob("*/children")
    return sorted(child for file in lists for child in file.read_text().split())
