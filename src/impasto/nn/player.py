"""A player: a network, the optimizer that moves it, and the average it leaves behind."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from impasto.nn.collectives import average_
from impasto.nn.ema import Ema

WATCHED = 16  # steps from one look at how far the weights move to the next; a look copies them


class Player:
    """A network that goes down its own loss, and no other player's.

    `descend` takes gradients for this network's parameters only, so nothing has to be frozen and
    nothing is computed for the other side; it averages them over processes, leaves out a step whose
    gradients are not finite, and steps. Nothing in it waits for the device.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        ema: Ema | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.ema = ema
        self.clip_value = clip_value  # bound on every component of a gradient
        self.gradient_norm = torch.zeros(())  # of the last step, as a number on the device
        self.skipped = torch.zeros(())  # 1 if the last step was left out
        self.update_ratio = torch.zeros(
            ()
        )  # length of the last step watched over that of the weights
        self._steps = 0

    def descend(self, loss: Tensor, *, learning_rate: float) -> Tensor:
        """The loss, detached, after one step down it."""
        parameters = list(self.network.parameters())
        gradients = list(torch.autograd.grad(loss, parameters))
        average_(gradients)
        norm = torch.stack(torch._foreach_norm(gradients)).norm()  # noqa: SLF001
        finite = norm.isfinite()
        self.gradient_norm = norm.where(finite, 0.0)
        self.skipped = 1.0 - finite.float()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            gradient.masked_fill_(~finite, 0.0)
            if self.clip_value is not None:
                gradient.clamp_(-self.clip_value, self.clip_value)
            parameter.grad = _laid_out_like(parameter, gradient)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        if self._steps % WATCHED:
            self.optimizer.step()
        else:
            self._watched_step(parameters)
        self._steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    @torch.no_grad()
    def _watched_step(self, parameters: list[nn.Parameter]) -> None:
        before = [parameter.clone() for parameter in parameters]
        self.optimizer.step()
        moved = [now - then for now, then in zip(parameters, before, strict=True)]
        lengths = [torch.stack(torch._foreach_norm(each)).norm() for each in (moved, before)]  # noqa: SLF001
        self.update_ratio = lengths[0] / lengths[1]

    def average(self, images_seen: int, batch: int) -> None:
        """Moves the average, where there is one, by one step of `batch` images."""
        if self.ema is not None:
            self.ema.update(self.network, images_seen, batch)

    @property
    def best(self) -> nn.Module:
        """The network to draw from: the average where there is one."""
        return self.network if self.ema is None else self.ema.network

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as named tensors."""
        tensors = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for index, entry in self.optimizer.state_dict()["state"].items():
            for key, value in entry.items():
                tensors[f"optimizer/{index}/{key}"] = value
        if self.ema is not None:
            for name, value in self.ema.network.state_dict().items():
                tensors[f"ema/{name}"] = value
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Becomes the player whose `state` this was."""
        self.network.load_state_dict(below(tensors, "network"))
        if self.ema is not None:
            averaged = below(tensors, "ema")  # a remedy may have begun to average since
            self.ema.network.load_state_dict(averaged or below(tensors, "network"))
        parameters = list(self.network.parameters())
        entries: dict[int, dict[str, Tensor]] = {}
        for path, value in below(tensors, "optimizer").items():
            index, _, key = path.partition("/")
            moments = entries.setdefault(int(index), {})
            moments[key] = _laid_out_like(parameters[int(index)], value).clone()
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": entries, "param_groups": groups})


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    # A fused optimizer walks a parameter, its gradient and its moments side by side in memory, and would
    # pair the wrong numbers if one were channels-last and the other not. Files hold plain layouts, and
    # so do some gradients, such as those of a penalty on gradients.
    if value.shape != parameter.shape or value.stride() == parameter.stride():
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose path starts with `prefix`/, named from there on."""
    head = f"{prefix}/"
    return {name[len(head) :]: value for name, value in tensors.items() if name.startswith(head)}


def adam(network: nn.Module, learning_rate: float, betas: tuple[float, float]) -> Adam:
    """Adam over the network's parameters, fused into one kernel where the device has it.

    Source: arXiv 1412.6980, algorithm 1.
    """
    device = next(network.parameters()).device.type
    return Adam(network.parameters(), learning_rate, betas, fused=device in {"cpu", "cuda", "mps"})
