"""A worker process: takes blocks from a socket, answers with outcomes, ends with its caller."""

import signal
import sys
from multiprocessing.connection import Connection

from impasto.data.work import Outcome, work
from impasto.errors import SourceError


def main() -> None:
    """Serves the socket whose descriptor is the only argument, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started the crew
    with Connection(int(sys.argv[1])) as socket:
        while True:
            try:
                block = socket.recv()
            except (EOFError, ConnectionResetError):
                return
            answer: list[Outcome] | SourceError
            try:
                answer = work(block)
            except SourceError as error:  # no picture's fault: the detector cannot be used
                answer = error
            try:
                socket.send(answer)
            except (BrokenPipeError, ConnectionResetError):
                return


if __name__ == "__main__":
    main()
