"""A crew of worker processes that take blocks of candidates and never bring the whole down.

Each worker is a plain `python -m impasto.data.worker` that talks over one socket: it needs no guard
in the caller's script, imports no torch, and ends by itself when the other end of its socket is
gone. A worker that dies or hangs on a hostile file is replaced, its block is tried again picture by
picture, and the picture at fault is rejected.
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

from impasto.data.items import Source
from impasto.data.jobs import BLOCK, Job
from impasto.data.reasons import Reason
from impasto.data.work import Block, Outcome, work
from impasto.errors import SourceError

# Each worker has one core; OpenCV and ONNX Runtime would start threads for all of them.
_ALONE = {"OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "1"}
PATIENCE = 120.0  # seconds for one block, and then for one picture


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

    At most two jobs for each worker are held at a time, however many there are.

    Raises:
        SourceError: the detector cannot be used.
    """
    if workers == 0:
        for job in jobs:
            yield job, work(job.block)
        return
    crew = _Crew(workers)
    try:
        waiting: deque[tuple[Job, Future[list[Outcome]]]] = deque()
        for job in jobs:
            waiting.append((job, crew.submit(job.block)))
            if len(waiting) >= 2 * workers:
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
        self._worker.start()
        outcomes = self._worker.ask(block)
        if outcomes is not None or self._closed:
            return outcomes or []
        singles = [replace(block, payloads=(payload,)) for payload in block.payloads]
        return [self._work_alone(single) for single in singles]

    def kill(self) -> None:
        """Kills the process, from any thread; a thread that waits for it wakes up, and starts no other."""
        self._closed = True
        self._worker.kill()

    def end(self) -> None:
        """Ends the process, and waits until it is gone."""
        self._closed = True
        self._worker.end()

    def _work_alone(self, single: Block) -> Outcome:
        if not self._closed:
            self._worker.start()
        if outcomes := self._worker.ask(single):
            return outcomes[0]
        return Outcome(reason=Reason("damaged", "it brought the decoder down"))


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
            [sys.executable, "-m", "impasto.data.worker", str(other.fileno())],
            pass_fds=(other.fileno(),),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths, **_ALONE},
        )
        other.close()
        self._socket = own

    def ask(self, block: Block) -> list[Outcome] | None:
        """The outcomes of a block, or None when the worker died or took too long over it."""
        if self._socket is None:
            return None
        try:
            self._socket.send(block)
            if self._socket.poll(PATIENCE):
                answer: list[Outcome] | SourceError = self._socket.recv()
                if isinstance(answer, SourceError):
                    raise answer
                return answer
        except (OSError, EOFError):  # it died; `end` takes it away
            self.end()
            return None
        self.end()
        return None

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
