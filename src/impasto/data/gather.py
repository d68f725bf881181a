"""Outcomes become slots of a set: arrays and rows of the manifest, as they come in."""

from typing import Any

import numpy as np

from impasto.data import layout
from impasto.data.engine.jobs import Job
from impasto.data.engine.work import Outcome


def gather(writer: layout.Writer, job: Job, outcomes: list[Outcome]) -> None:
    """Puts the outcomes of a job into the set: a slot for each part, and one for each failure."""
    slots = sum(max(1, len(outcome.slots)) for outcome in outcomes)
    pixels = np.zeros((slots, *writer.shape.picture), np.uint8)
    columns = {
        name: np.zeros((slots, *size), kind) for name, (kind, size) in writer.shape.arrays().items()
    }
    columns["measures.npy"][:] = np.nan
    rows: list[dict[str, Any]] = []
    for place, outcome in enumerate(outcomes):
        for part in range(max(1, len(outcome.slots))):
            at = len(rows)
            if outcome.slots:
                slot = outcome.slots[part]
                pixels[at] = slot.pixels
                columns["boxes.npy"][at] = slot.box
                columns["hashes.npy"][at] = slot.hash
                columns["measures.npy"][at] = slot.measures
            reason = outcome.reason
            columns["status.npy"][at] = layout.code(reason.kind) if reason else layout.KEPT
            columns["labels.npy"][at] = job.labels[place]
            columns["numbers.npy"][at] = job.numbers[place]
            columns["keys.npy"][at] = int((outcome.sha256 or "0")[:16], 16)
            rows.append(_row(job, place, outcome, part))
    writer.append(len(outcomes), pixels, columns, rows)


def _row(job: Job, place: int, outcome: Outcome, part: int) -> dict[str, Any]:
    reason = outcome.reason
    return {
        "candidate": job.first + place,
        "part": part,
        "parts": max(1, len(outcome.slots)),
        "name": job.names[place],
        "sha256": outcome.sha256,
        "width": outcome.width,
        "height": outcome.height,
        "mode": outcome.mode,
        "box": outcome.slots[part].box if outcome.slots else None,
        "labels": job.labels[place],
        "numbers": [None if np.isnan(number) else number for number in job.numbers[place]],
        "reason": reason.kind if reason else None,
        "detail": reason.detail if reason else "",
    }
