"""Batches from a prepared set: an endless shuffled stream, each batch a pure function of its place.

There is no state to save. A resumed run asks for the batch at its count of images seen and gets
what the uninterrupted run would have got; of N processes each draws for the whole batch and keeps
its own slice.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from impasto.attributes import Attribute
from impasto.data import crop
from impasto.data.prepared import Prepared
from impasto.errors import ConfigError, SourceError
from impasto.seeds import stream as named_stream

AHEAD = 3  # batches made in advance


@dataclass(frozen=True)
class RawBatch:
    """Pictures as bytes, and what is known of them, as `impasto.attributes` tells it."""

    images: UInt8[Tensor, "n h w c"]
    known: Float[Tensor, "n k"]


class Feed:
    """The order and variation of pictures in training.

    Place k of the stream lies in epoch `k // n` of n pictures, and holds the picture

        positions[torch.randperm(n, generator=stream(seed, "order", k // n))[k % n]]

    with `impasto.seeds.stream`. A batch is `batch` places in a row and may run over an epoch's end,
    so that each is full. It is mirrored where `torch.rand(batch, generator=stream(seed, "flip",
    images_seen)) < 0.5`; random crops are drawn likewise from the stream `crop`.
    """

    def __init__(
        self,
        prepared: Prepared,
        positions: np.ndarray,
        *,
        batch: int,
        seed: int,
        flip: bool,
        attributes: tuple[Attribute, ...] = (),
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if batch > len(positions):
            raise SourceError(
                f"{prepared.source}: {len(positions)} pictures to train on are fewer than a batch "
                f"of {batch}; give more pictures, or --set train.batch={max(1, len(positions))}"
            )
        if batch % processes:
            raise ConfigError(
                f"train.batch: {batch} does not divide among {processes} processes; "
                f"--set train.batch={-(-batch // processes) * processes}"
            )
        self._prepared = prepared
        self._positions = np.asarray(positions, np.int64)
        self._batch, self._seed, self._flip = batch, seed, flip
        self._attributes = attributes
        own = batch // processes
        self._own = slice(rank * own, (rank + 1) * own)
        self._orders: dict[int, np.ndarray] = {}  # of the epochs in use

    def at(self, images_seen: int) -> RawBatch:
        """This process's slice of the batch that follows `images_seen` pictures."""
        positions = self._at_places(np.arange(images_seen, images_seen + self._batch)[self._own])
        images = self._images(positions, images_seen)
        if self._flip:
            draws = torch.rand(self._batch, generator=named_stream(self._seed, "flip", images_seen))
            mirrored = (draws[self._own] < 0.5).numpy()
            images[mirrored] = images[mirrored, :, ::-1]
        known = self._prepared.known(positions, self._attributes)
        return RawBatch(torch.from_numpy(images), torch.from_numpy(known))

    def stream(self, images_seen: int) -> Iterator[RawBatch]:
        """The batches from `images_seen` on, made ahead by a thread until the iterator is closed.

        Raises:
            Exception: whatever making a batch raised, at the place of that batch.
        """
        ready: queue.Queue[RawBatch | Exception] = queue.Queue(AHEAD)
        leaving = threading.Event()
        maker = threading.Thread(
            target=self._make, args=(images_seen, ready, leaving), name="impasto feed", daemon=True
        )
        maker.start()
        try:
            while True:
                made = ready.get()
                if isinstance(made, Exception):
                    raise made
                yield made
        finally:
            leaving.set()
            maker.join()

    def _make(
        self, images_seen: int, ready: "queue.Queue[RawBatch | Exception]", leaving: threading.Event
    ) -> None:
        while not leaving.is_set():
            made: RawBatch | Exception
            try:
                made = self.at(images_seen)
            except Exception as error:  # noqa: BLE001 - handed to the consumer, which raises it
                made = error
            while not leaving.is_set():
                try:
                    ready.put(made, timeout=0.05)
                    break
                except queue.Full:
                    continue
            if isinstance(made, Exception):
                return
            images_seen += self._batch

    def _at_places(self, places: np.ndarray) -> np.ndarray:
        epochs, within = np.divmod(places, len(self._positions))
        chosen = np.empty_like(places)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            chosen[here] = self._order(int(epoch))[within[here]]
        return chosen

    def _order(self, epoch: int) -> np.ndarray:
        order = self._orders.get(epoch)
        if order is None:
            generator = named_stream(self._seed, "order", epoch)
            order = self._positions[
                torch.randperm(len(self._positions), generator=generator).numpy()
            ]
            # The epoch before this one may share a batch with it; older ones are over.
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1} | {
                epoch: order
            }
        return order

    def _images(self, positions: np.ndarray, images_seen: int) -> np.ndarray:
        prepared = self._prepared
        if prepared.config.crop != "random":
            return prepared.images(positions)
        slots = prepared.slots(positions)
        stored = prepared.arrays.pixels[slots]
        generator = named_stream(self._seed, "crop", images_seen)
        shapes = torch.rand(self._batch, crop.TRIES, 2, generator=generator, dtype=torch.float64)
        places = torch.rand(self._batch, 2, generator=generator, dtype=torch.float64)
        kept = prepared.arrays.boxes[slots].astype(np.float64)
        boxes = crop.random_boxes(
            kept[:, 2] - kept[:, 0],
            kept[:, 3] - kept[:, 1],
            shapes[self._own].numpy(),
            places[self._own].numpy(),
            prepared.side,
        )
        size = prepared.config.size
        pairs = zip(stored, boxes.tolist(), strict=True)
        return np.stack([crop.resample(picture, tuple(box), size) for picture, box in pairs])
