"""Looks into a training: which pictures are shown to it, and the signals that come of it."""

from collections import deque

import numpy as np
import torch
from jaxtyping import Float, Int64

from impasto.data.prepared import Prepared
from impasto.data.spread import evenly
from impasto.diagnostics import signals
from impasto.diagnostics.signals import Images, RealLook, Signals
from impasto.evaluation.memorization import CopyTest
from impasto.families import FAMILIES, Batch, Family
from impasto.families.base import PROBED
from impasto.images import to_float
from impasto.runs.config import RunConfig

LOOKED_AT = 256  # real pictures that samples are compared with
AMONG = 2_000  # training pictures that are asked whether they were copied
REMEMBERED = 4  # looks; samples are compared with those of then


class Examiner:
    """Shows the same pictures to a family again and again, and tells what it makes of them.

    All processes look at the same pictures, so that batch statistics over processes are those of one.
    """

    def __init__(
        self,
        config: RunConfig,
        prepared: Prepared,
        trained: Int64[np.ndarray, " n"],
        held_out: Int64[np.ndarray, " m"],
        device: torch.device,
    ) -> None:
        self._company = config.train.batch
        self._prepared, self._device = prepared, device
        self._before: deque[Images] = deque(maxlen=REMEMBERED)
        self._attributes = FAMILIES[config.family.name].attributes(config.family)
        looked_at = evenly(trained, LOOKED_AT)
        self._real = RealLook(self._images(looked_at))
        self._shown = self._batch(looked_at[:: max(1, len(looked_at) // PROBED)][:PROBED])
        self._unseen = self._batch(held_out[:PROBED])
        self._copies = CopyTest(
            self._vectors(evenly(trained, AMONG), mirrored=config.data.flip),
            self._vectors(evenly(held_out, AMONG // 4), mirrored=False),
        )

    def look(self, family: Family) -> Signals:
        """The signals of now, by name."""
        probe = family.probe(self._shown, self._unseen, self._company)
        fakes, rebatched = probe.fakes.float().cpu(), probe.rebatched.float().cpu()
        if not (fakes.isfinite().all() and rebatched.isfinite().all()):
            return {}  # the losses tell what has happened
        real = self._real
        told: Signals = {}
        if len(probe.fake_logits):
            logits = probe.real_logits, probe.held_out_logits, probe.fake_logits
            told |= signals.judgement(*(part.float().cpu() for part in logits))
        told |= signals.variety(fakes, real) | signals.likeness(fakes, real)
        told["kept_distance"] = signals.likeness(probe.kept.float().cpu(), real)["energy_distance"]
        told |= signals.ranges(fakes, real)
        told |= signals.checkerboard(fakes, real, probe.strides)
        told |= signals.company(fakes, rebatched)
        told |= signals.movement(fakes, list(self._before), real)
        told |= probe.told
        copies = self._copies(signals.small(fakes).numpy())
        told |= {"copied": copies.share, "copied_surely": float(copies.caught)}
        told |= {f"{name}_dead_units": float(share) for name, share in probe.dead.items()}
        self._before.appendleft(fakes)
        return told

    def _vectors(
        self, positions: Int64[np.ndarray, " n"], *, mirrored: bool
    ) -> Float[np.ndarray, "rows d"]:
        parts = [
            self._images(part) for part in np.array_split(positions, max(1, len(positions) // 256))
        ]
        vectors = [signals.small(part) for part in parts]
        if mirrored:
            vectors += [signals.small(part.flip(3)) for part in parts]
        whole: np.ndarray = torch.cat(vectors).numpy()
        return whole

    def _images(self, positions: Int64[np.ndarray, " n"]) -> Images:
        return to_float(torch.from_numpy(np.array(self._prepared.images(positions))))

    def _batch(self, positions: Int64[np.ndarray, " n"]) -> Batch:
        known = torch.from_numpy(self._prepared.known(positions, self._attributes))
        return Batch(self._images(positions).to(self._device), known.to(self._device))
