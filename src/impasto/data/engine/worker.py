"""A worker process: takes blocks from a socket, answers with outcomes, ends with its caller.

Decoders that meet hostile files ask for any amount of memory, and talk on standard error. Here they
get a limit, above what any picture needs that is small enough to be decoded, and silence.
"""

import contextlib
import logging
import os
import resource
import signal
import sys
from multiprocessing.connection import Connection

from impasto.data.config import DataConfig
from impasto.data.engine.work import Block, Outcome, work_one
from impasto.data.sources.items import Payload
from impasto.errors import SourceError

MEMORY = 4 * 2**30  # bytes


def main() -> None:
    """Serves the socket whose descriptor is the only argument, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started the crew
    _limit_memory()
    _silence_libraries()
    with Connection(int(sys.argv[1])) as socket:
        while True:
            try:
                block: Block = socket.recv()
            except (EOFError, ConnectionResetError):
                return
            try:
                for payload in block.payloads:
                    answer = _answer(payload, block.config)
                    socket.send(answer)
                    if isinstance(answer, SourceError):
                        break
            except (BrokenPipeError, ConnectionResetError):
                return


def _answer(payload: Payload, config: DataConfig) -> Outcome | SourceError:
    try:
        return work_one(payload, config)
    except SourceError as error:  # no picture's fault: the detector cannot be used
        return error


def _limit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    with contextlib.suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _silence_libraries() -> None:
    """Leaves standard error to Python: what C libraries write on it goes nowhere."""
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


if __name__ == "__main__":
    main()
