"""Processes, devices and precision, through Lightning Fabric.

Fabric starts the processes (or joins those that torchrun or SLURM started), names the device and sets
precision. Networks are not wrapped: a player averages its own gradients.
"""

import atexit
import logging
import os
from typing import Any

import torch
import torch.distributed as dist

from impasto.errors import ConfigError
from impasto.runs.config import TrainConfig


def launch(train: TrainConfig) -> "Processes":
    """The processes that train together; with `devices` above 1, this starts the others.

    Raises:
        ConfigError: as `check_devices` does.
    """
    from lightning_fabric import Fabric  # imports as much again as torch; only training needs it

    device, local, nodes = check_devices(train)
    if train.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
    torch.set_flush_denormal(True)  # before any parallel work: worker threads inherit it
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=nodes,
        strategy="ddp" if local * nodes > 1 else "auto",
        precision=_precision(train.precision, device),
    )
    logging.getLogger("lightning_fabric").setLevel(
        logging.WARNING
    )  # the run itself says who takes part
    fabric.launch()
    if fabric.world_size > 1:
        atexit.register(dist.destroy_process_group)
    torch.use_deterministic_algorithms(train.deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not train.deterministic
    return Processes(fabric)


class Processes:
    """The processes that train together, as one of them sees them."""

    def __init__(self, fabric: Any) -> None:
        self._fabric = fabric
        self.device: torch.device = fabric.device
        self.rank: int = fabric.global_rank
        self.count: int = fabric.world_size
        # Decisions travel apart from gradients, on the host, so that agreeing never waits for a device.
        self._control = dist.new_group(backend="gloo") if self.count > 1 else None

    @property
    def first(self) -> bool:
        """Whether this is the one process that writes."""
        return self.rank == 0

    @property
    def precision(self) -> str:
        """The precision as a person would say it."""
        return "bf16" if "bf16" in str(self._fabric._precision.precision) else "32-bit"  # noqa: SLF001

    def autocast(self) -> Any:
        """The context in which networks run."""
        return self._fabric.autocast()

    def agree(self, values: list[float]) -> list[float]:
        """The first process's values, in all of them."""
        if self._control is None:
            return values
        shared = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(shared, 0, group=self._control)
        return [float(value) for value in shared]

    def shared(self, text: str) -> str:
        """The first process's text, in all of them."""
        return str(self._fabric.broadcast(text))

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean over processes."""
        if self.count > 1:
            dist.all_reduce(values)
            values = values / self.count
        return values

    def wait(self) -> None:
        """Returns when all processes have come this far."""
        self._fabric.barrier()


def check_devices(train: TrainConfig) -> tuple[str, int, int]:
    """The kind of device, the processes on this machine, and the machines.

    Raises:
        ConfigError: the device is not there, or the batch cannot be shared evenly.
    """
    device = device_of(train.device)
    local, nodes = train.devices, 1
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun has started them; it knows how many
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // local
    if train.batch % (local * nodes):
        raise ConfigError(
            f"train.batch: {train.batch} images cannot be shared evenly by {local * nodes} processes; "
            f"use a multiple, such as --set train.batch={-(-train.batch // (local * nodes)) * local * nodes}"
        )
    if device == "cuda" and local > torch.cuda.device_count():
        raise ConfigError(
            f"train.devices: {local} asked for, {torch.cuda.device_count()} CUDA devices here"
        )
    if device == "mps" and local > 1:
        raise ConfigError(f"train.devices: {local} asked for; MPS has one device")
    _precision(train.precision, device)
    return device, local, nodes


def first_process() -> bool:
    """Whether this process is the one that writes and speaks, before or after launching."""
    # In an interactive SLURM shell, a process that was started from here inherits the shell's SLURM_PROCID.
    variables = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
    return int(next((os.environ[name] for name in variables if name in os.environ), "0")) == 0


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a device's memory ran out; MPS says so in words only."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def free_cached(device: torch.device) -> None:
    """Gives back what torch keeps cached on the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def device_name(device: torch.device) -> str:
    """The device as a person would say it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


def device_of(wanted: str) -> str:
    """The kind of device to compute on, where `auto` may have been said.

    Raises:
        ConfigError: there is none of that kind here.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[wanted]:
        usable = ", ".join(name for name, found in there.items() if found)
        raise ConfigError(f"device {wanted}: is not available here; use one of: auto, {usable}")
    return wanted


def _precision(wanted: str, device: str) -> Any:
    has_bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted == "bf16" and device != "cuda":
        # Autocast to bf16 is several times slower than 32 bits on a CPU, and unproven on MPS.
        raise ConfigError(
            f"train.precision: bf16 is for CUDA devices, and this is {device}; use 32 or auto"
        )
    return "bf16-mixed" if wanted != "32" and has_bf16 else "32-true"
