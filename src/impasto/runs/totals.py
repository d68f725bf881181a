"""What a step tells, summed until a tick asks for it."""

import time

import torch

from impasto.families import Scalars
from impasto.runs.devices import Processes


class Totals:
    """Sums of scalars since the last tick, left on the device until a tick reads them."""

    def __init__(self) -> None:
        self.steps, self.waited = 0, 0.0
        self._started = time.monotonic()
        self._sums: dict[str, torch.Tensor | float] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the last tick."""
        return max(time.monotonic() - self._started, 1e-9)

    def add(self, scalars: Scalars) -> "Totals":
        """Itself, with one step's scalars added."""
        self.steps += 1
        for name, value in scalars.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        return self

    def read(self, processes: Processes) -> dict[str, float]:
        """Means over steps and processes; this is where the host waits for the device."""
        on_device = [
            torch.as_tensor(v, dtype=torch.float32, device=processes.device)
            for v in self._sums.values()
        ]
        means = processes.mean(torch.stack(on_device)) / self.steps
        named = dict(zip(self._sums, means.tolist(), strict=True))
        return named | ({"loader_wait": self.waited / self.elapsed} if self.waited else {})
