"""A crew of worker processes that take blocks of candidates and never bring the whole down.

Each worker is a plain `python -m impasto.data.engine.worker` that talks over one socket: it needs no guard
in the caller's script, imports no torch, and ends by itself when the other end of its socket is
gone. It answers picture by picture, so that when it dies or hangs it is known over which. A worker may die of
something else, so that picture is tried once more, in a new one.
"""

import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from impasto.data.engine.jobs import BLOCK, BLOCK_BYTES, Job
from impasto.data.engine.work import Block, Outcome, work
from impasto.data.reasons import Reason
from impasto.data.sources.items import Source
from impasto.errors import SourceError

# Each worker has one core; OpenCV and ONNX Runtime would start threads for all of them.
_ALONE = {"OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "1"}
PATIENCE = 120.0  # seconds for one picture; the largest take some 10, and a new worker one or two
HELD = 2**28  # bytes of pictures that may be under way beyond what full blocks take
_DIED = Reason("damaged", "it brought the decoder down")


def crew_size(source: Source, pending: int, workers: int | None) -> int:
    """How many workers are worth starting for so many candidates, when `workers` are wished for.

    None are for pictures that were never encoded: those can be trusted, and are little work.

    Raises:
        SourceError: fewer than one is wished for.
    """
    if workers is not None and workers < 1:
        raise SourceError(f"workers: at least 1 is needed, not {workers}")
    if not source.encoded:
        return 0
    return min(workers or _processors(), -(-pending // BLOCK))


def run(jobs: Iterable[Job], workers: int) -> Generator[tuple[Job, list[Outcome]]]:
    """Each job and its outcomes, in order; done in this process when there are no workers.

    At most two jobs for each worker are held at a time, however many there are; fewer of large pictures.

    Raises:
        SourceError: the detector cannot be used.
    """
    if workers == 0:
        for job in jobs:
            yield job, work(job.block)
        return
    crew = _Crew(workers)
    most = HELD + 2 * workers * BLOCK_BYTES
    try:
        waiting: deque[tuple[Job, Future[list[Outcome]]]] = deque()
        for job in jobs:
            waiting.append((job, crew.submit(job.block)))
            while len(waiting) >= 2 * workers or sum(held.size for held, _ in waiting) > most:
                first, outcomes = waiting.popleft()
                yield first, outcomes.result()
        for job, outcomes in waiting:
            yield job, outcomes.result()
    finally:
        crew.close()


def _processors() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


class _Crew:
    """Guarded workers, and a thread for each that waits for its answers."""

    def __init__(self, workers: int) -> None:
        self._idle: queue.SimpleQueue[Guarded] = queue.SimpleQueue()
        self._guarded = [Guarded() for _ in range(workers)]
        for guarded in self._guarded:
            self._idle.put(guarded)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, block: Block) -> Future[list[Outcome]]:
        return self._threads.submit(self._finish, block)

    def close(self) -> None:
        for guarded in self._guarded:
            guarded.kill()  # only the thread that waits for it may touch its socket
        self._threads.shutdown(cancel_futures=True)
        for guarded in self._guarded:
            guarded.end()

    def _finish(self, block: Block) -> list[Outcome]:
        guarded = self._idle.get()
        try:
            return guarded.work(block)
        finally:
            self._idle.put(guarded)


class Guarded:
    """A worker process that is replaced when it dies or hangs, so that every block gets its outcomes."""

    def __init__(self) -> None:
        self._worker = _Worker()
        self._closed = False

    def work(self, block: Block) -> list[Outcome]:
        """The outcomes of a block; a picture that brings the worker down is rejected.

        Raises:
            SourceError: the detector cannot be used.
        """
        outcomes: list[Outcome] = []
        failed = -1  # the picture that the last worker died over
        while len(outcomes) < len(block.payloads) and not self._closed:
            self._worker.start()
            left = replace(block, payloads=block.payloads[len(outcomes) :])
            reason = self._worker.ask(left, outcomes)
            place = len(outcomes)
            if reason is not None and (reason is not _DIED or place == failed):
                outcomes.append(Outcome(reason=reason))
            failed = place
        return outcomes

    def kill(self) -> None:
        """Kills the process, from any thread; a thread that waits for it wakes up, and starts no other."""
        self._closed = True
        self._worker.kill()

    def end(self) -> None:
        """Ends the process, and waits until it is gone."""
        self._closed = True
        self._worker.end()


class _Worker:
    """One process and the socket to it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Connection | None = None
        self.start()

    def start(self) -> None:
        """Starts the process, unless it is up."""
        if self._process is not None:
            return
        own, other = Pipe()
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "impasto.data.engine.worker", str(other.fileno())],
            pass_fds=(other.fileno(),),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths, **_ALONE},
        )
        other.close()
        self._socket = own

    def ask(self, block: Block, outcomes: list[Outcome]) -> Reason | None:
        """Puts the outcomes of a block into a list; why it stopped before the end, if it did.

        Raises:
            SourceError: the detector cannot be used.
        """
        reason = _DIED
        try:
            if self._socket is not None:
                self._socket.send(block)
                for _ in block.payloads:
                    if not self._socket.poll(PATIENCE):
                        reason = Reason("damaged", f"not decoded within {PATIENCE:g} seconds")
                        break
                    answer: Outcome | SourceError = self._socket.recv()
                    if isinstance(answer, SourceError):
                        raise answer
                    outcomes.append(answer)
                else:
                    return None
        except (OSError, EOFError):
            reason = _DIED
        self.end()
        return reason

    def kill(self) -> None:
        """Kills the process, from any thread, and leaves it to `end` to take it away."""
        process = self._process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """Ends the process, busy or not, and waits until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
