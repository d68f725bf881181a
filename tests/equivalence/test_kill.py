"""Whatever ends a run, resuming it reaches the weights of a run that was never interrupted."""

import random
import signal
import subprocess
import sys
import time

import pytest

from impasto.runs.checkpoint import last_state, same_tensors

SETTINGS = [
    "--set",
    "data.size=16",
    "family.width=8",
    "family.latents=8",
    "train.batch=8",
    "train.grid=4",
    "train.snapshots=100",
    "train.looks=20",
]
STEPS = 600
IMPASTO = [sys.executable, "-m", "impasto"]


def command(to):
    return [
        *IMPASTO,
        "train",
        "kittens:60",
        "--recipe",
        "kittens",
        "--steps",
        str(STEPS),
        "--to",
        str(to),
        "--device",
        "cpu",
        *SETTINGS,
    ]


def final(run):
    return last_state(run / "state")[0]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    to = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(command(to), check=True, capture_output=True, timeout=900)
    return final(to)


def wait_for(condition, process):
    for _ in range(24_000):  # minutes: the machine may be busy with something else
        if condition() or process.poll() is not None:
            return
        time.sleep(0.01)
    raise AssertionError("the run never came that far")


def interrupt(arguments, run, after, how):
    """Starts a command and sends it a signal once the run has drawn `after` grids."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: len(list((run / "samples").glob("*.png"))) >= after, process)
        process.send_signal(how)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, said.decode()


def test_killed_at_random_moments(tmp_path, uninterrupted):
    run, rng = tmp_path / "run", random.Random(0)
    arguments = command(run)
    kills = 0
    for target in sorted(rng.sample(range(2, 60), 4)):
        code, _ = interrupt(arguments, run, target, signal.SIGKILL)
        kills += code == -signal.SIGKILL
        time.sleep(rng.random() * 0.05)
        arguments = [*IMPASTO, "resume", str(run)]
    assert kills >= 2, "the kills came too late to mean anything"
    subprocess.run(arguments, check=True, capture_output=True, timeout=900)
    assert final(run).images_seen == uninterrupted.images_seen
    assert same_tensors(final(run).tensors, uninterrupted.tensors)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_where_it_is_and_says_so(tmp_path, how, uninterrupted):
    run = tmp_path / "run"
    code, said = interrupt(command(run), run, 4, how)
    assert code == 0, said
    assert "Traceback" not in said
    assert 0 < final(run).images_seen < STEPS * 8
    assert (run / "report.html").exists()
    subprocess.run([*IMPASTO, "resume", str(run)], check=True, capture_output=True, timeout=900)
    assert same_tensors(final(run).tensors, uninterrupted.tensors)


def test_a_disk_that_fills_up_in_the_middle_of_a_save(tmp_path, uninterrupted):
    """A limit on the size of files stands in for the full disk: the kernel refuses the write half-way."""
    run = tmp_path / "run"
    script = (
        "import resource, sys; from impasto.cli.main import main; import impasto.runs.checkpoint as c\n"
        "save, calls = c.write_tensors, []\n"
        "def limited(*a):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 5: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "    save(*a)\n"
        "c.write_tensors = limited\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command(run)[3:]],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 1, done.stderr
    assert "could not be saved" in done.stderr
    assert f"impasto resume {run}" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((run / "state").iterdir())) == 2
    subprocess.run([*IMPASTO, "resume", str(run)], check=True, capture_output=True, timeout=900)
    assert same_tensors(final(run).tensors, uninterrupted.tensors)
