from pathlib import Path

import pytest

from impasto.data.config import DataConfig
from impasto.data.engine import crew
from impasto.data.engine.crew import run
from impasto.data.engine.jobs import Job
from impasto.data.engine.work import Block, Outcome, work
from impasto.data.reasons import Reason

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
        "import os, sys, time\n"
        f"mark = {str(tmp_path / 'mark')!r}\n"
        "from impasto.data.engine import work\n"
        "def read(payload, read=work.read):\n"
        "    if payload == b'crash': os._exit(11)\n"
        "    if payload == b'once' and not os.path.exists(mark): open(mark, 'x'); os._exit(11)\n"
        "    if payload == b'talk': os.write(2, b'from a library'); print('from Python', file=sys.stderr)\n"
        "    if payload == b'hang': time.sleep(600)\n"
        "    return read(payload)\n"
        "work.read = read\n"
        "from impasto.data import decode\n"
        "def open_(content, open_=decode.opened):\n"
        "    return bytearray(5 << 30) if content == b'greed' else open_(content)\n"
        "decode.opened = open_\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(crew, "PATIENCE", 6.0)


@pytest.mark.usefixtures("fatal")
@pytest.mark.parametrize(
    ("word", "reason"),
    [(b"crash", "it brought the decoder down"), (b"hang", "not decoded within 6 seconds")],
)
def test_a_picture_that_brings_a_worker_down_is_the_only_one_lost(word, reason, encoded):
    work = [job(0, encoded(0), word, encoded(1), word), job(4, encoded(2))]
    (_, first), (_, second) = run(iter(work), 2)
    lost = Reason("damaged", reason)
    assert [outcome.reason for outcome in first] == [None, lost, None, lost]
    assert [outcome.reason for outcome in second] == [None]
    assert shas(first)[::2] == shas(alone(encoded(0), encoded(1)))


@pytest.mark.usefixtures("fatal")
def test_a_worker_that_dies_of_something_else_costs_no_picture(encoded):
    work = [job(0, encoded(0), b"once", encoded(1))]
    ((_, outcomes),) = run(iter(work), 1)
    assert outcomes[1].reason.kind == "not a picture"
    assert shas(outcomes) == shas(alone(encoded(0), b"once", encoded(1)))


@pytest.mark.usefixtures("fatal")
def test_a_worker_gets_no_more_memory_than_pictures_need(encoded):
    ((_, outcomes),) = run(iter([job(0, encoded(0), b"greed", encoded(1))]), 1)
    reasons = [outcome.reason for outcome in outcomes]
    assert reasons == [None, Reason("too large", "there is not enough memory to decode it"), None]


@pytest.mark.usefixtures("fatal")
def test_libraries_write_nothing_on_standard_error(encoded, capfd):
    list(run(iter([job(0, b"talk")]), 1))
    assert capfd.readouterr().err == "from Python\n"


def alone(*payloads: bytes) -> list[Outcome]:
    return work(Block(payloads, CONFIG))


def test_few_bytes_are_held_at_a_time(encoded, monkeypatch):
    monkeypatch.setattr(crew, "HELD", 2000)
    monkeypatch.setattr(crew, "BLOCK_BYTES", 0)
    taken = 0

    def work():
        nonlocal taken
        for k in range(20):
            taken += 1
            yield job(k, encoded(k) + bytes(600))

    results = run(work(), 8)
    assert [next(results)[0].first, taken] == [0, 2]
    assert [job.first for job, _ in results] == list(range(1, 20))


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
