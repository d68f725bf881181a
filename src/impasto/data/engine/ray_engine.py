"""The same work as a Ray Data pipeline, on this machine or on a cluster that is already there.

What reaches Ray are blocks of candidates, in windows so that memory stays the same however many there
are; what comes back, in order, are the outcomes that a crew of processes would have given. Each of
Ray's workers keeps a guarded process of its own, so that a hostile file costs one picture here too.

Where `RAY_ADDRESS` names a cluster it is used, else Ray is started on this machine. The machines of a
cluster need impasto installed, and a folder of pictures must be reached by the same path from all.
"""

import logging
import os
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from impasto.data.engine.crew import Guarded
from impasto.data.engine.jobs import Job
from impasto.data.engine.work import Outcome
from impasto.errors import SourceError

JOBS_A_WINDOW = 16  # for each processor: enough that the wait at a window's end hardly counts


class Decoding:
    """One of Ray's workers: outcomes for blocks."""

    def __init__(self) -> None:
        self._guarded = Guarded()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """The outcomes of a block."""
        return {"outcomes": self._guarded.work(row["block"])}


def run(jobs: Iterable[Job], workers: int | None) -> Generator[tuple[Job, list[Outcome]]]:
    """Each job and its outcomes, in order.

    Args:
        jobs: taken a window at a time.
        workers: how many of Ray's workers to use; one for each of its processors by default.

    Raises:
        SourceError: Ray is not installed or cannot be reached, or the detector cannot be used.
    """
    ray, started = _connected()
    try:
        processors = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        remaining = iter(jobs)
        while window := list(islice(remaining, processors * JOBS_A_WINDOW)):
            yield from zip(window, _window(ray, window, processors), strict=True)
    finally:
        if started:
            ray.shutdown()


def _window(ray: Any, window: list[Job], processors: int) -> Iterator[list[Outcome]]:
    rows = [{"block": job.block} for job in window]
    worked = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        Decoding,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(processors, len(rows))),
        num_cpus=1,
    )
    try:
        for row in worked.iter_rows():
            yield row["outcomes"]
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, SourceError):
            raise cause from None
        raise SourceError(f"--engine ray: {' '.join(str(error).split())[:300]}") from None


def _connected() -> tuple[Any, bool]:
    """Ray, and whether it was started here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    try:
        import ray
        import ray.data
    except ImportError:
        raise SourceError(
            "--engine ray: one more package is needed: pip install 'impasto[ray]'"
        ) from None
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    if ray.is_initialized():
        return ray, False
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise SourceError(
            f"--engine ray: cannot be reached ({' '.join(str(error).split())[:200]}); check RAY_ADDRESS, or "
            "leave --engine out"
        ) from None
    return ray, True
