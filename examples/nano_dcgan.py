"""A DCGAN in one plain script: torch and nothing else. It reaches impasto's weights, bit for bit.

    impasto prepare kittens:500 --to set --size 64
    python examples/nano_dcgan.py set nano.pt 20

is, in its weights, the same as

    impasto train set --recipe kittens --steps 20 --set data.validation=0 --device cpu
"""

import hashlib
import math
import struct
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

SEED, BATCH, LATENTS, WIDTH, HALF_LIFE = 0, 16, 64, 32, 5_000
RATE, FINAL, BETAS, GAMMA, EVERY = 5e-4, 0.1, (0.0, 0.99), 0.2, 4


def stream(name: str, counter: int = 0) -> torch.Generator:
    """A generator for one named purpose at one moment; nothing else decides what is drawn."""
    digest = hashlib.sha256(f"{SEED}/{name}/{counter}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def read_pictures(path: Path) -> Tensor:
    """The uint8 pictures, n h w c, in a NumPy file."""
    raw = bytearray(path.read_bytes())
    (header,) = struct.unpack("<H", raw[8:10])
    shape = raw[10 : 10 + header].decode("latin-1").split("'shape': (")[1].split(")")[0]
    return torch.frombuffer(raw, dtype=torch.uint8, offset=10 + header).view(
        *(int(side) for side in shape.split(",") if side.strip())
    )


def networks(size: int, channels: int) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator for pictures of 4 * 2 ** k pixels."""
    widths = [
        WIDTH * 2**level for level in range(size.bit_length() - 3)
    ]  # from the picture inwards
    up: list[nn.Module] = []
    before = LATENTS
    for index, width in enumerate(reversed(widths)):
        stride, padding = (2, 1) if index else (1, 0)
        up += [nn.ConvTranspose2d(before, width, 4, stride, padding, bias=False)]
        up += [nn.BatchNorm2d(width), nn.ReLU()]
        before = width
    generator = nn.Sequential(*up, nn.ConvTranspose2d(before, channels, 4, 2, 1), nn.Tanh()).apply(
        initialise
    )
    down: list[nn.Module] = []
    before = channels
    for width in widths:
        down += [nn.Conv2d(before, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        before = width
    discriminator = nn.Sequential(*down, nn.Conv2d(before, 1, 4, 1, 0), nn.Flatten(0)).apply(
        initialise
    )
    return generator, discriminator


def initialise(module: nn.Module) -> None:
    """Normal weights: convolutions around 0, scales around 1."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def batch_at(pictures: Tensor, seen: int) -> Tensor:
    """The batch after `seen` images: each epoch its own shuffle, batches running across."""
    chosen = []
    for place in range(seen, seen + BATCH):
        epoch, index = divmod(place, len(pictures))
        order = torch.randperm(len(pictures), generator=stream("order", epoch))
        chosen.append(int(order[index]))
    return pictures[chosen].permute(0, 3, 1, 2).float() / 127.5 - 1


def train(pictures: Tensor, steps: int) -> dict[str, Tensor]:
    """The averaged generator's weights after so many steps."""
    torch.set_flush_denormal(True)
    torch.manual_seed(int(stream("weights").initial_seed()))
    generator, discriminator = networks(pictures.shape[1], pictures.shape[3])
    for network in (generator, discriminator):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = {name: value.clone() for name, value in generator.state_dict().items()}
    g_adam, d_adam = (
        torch.optim.Adam(network.parameters(), RATE, BETAS, fused=True)
        for network in (generator, discriminator)
    )
    for step in range(steps):
        seen = step * BATCH
        for optimizer in (g_adam, d_adam):
            fallen = (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.param_groups[0]["lr"] = RATE * (FINAL + (1 - FINAL) * fallen)
        real = batch_at(pictures, seen).requires_grad_()
        latents = torch.randn(BATCH, LATENTS, generator=stream("latents", seen))
        fake = generator(latents[:, :, None, None])

        d_adam.zero_grad()
        said = discriminator(real)
        d_loss = softplus(-said).mean() + softplus(discriminator(fake.detach())).mean()
        steep = torch.zeros(())
        if step % EVERY == 0:
            (slope,) = torch.autograd.grad(said.sum(), real, create_graph=True)
            steep = slope.square().sum((1, 2, 3)).mean()
        (d_loss + GAMMA / 2 * EVERY * steep).backward()
        d_adam.step()

        g_adam.zero_grad()
        g_loss = softplus(-discriminator(fake)).mean()
        g_loss.backward()
        g_adam.step()

        half_life = min(HALF_LIFE, 0.05 * seen)  # a young average is a short one
        weight = 1 - (0.5 ** (BATCH / half_life) if half_life else 0.0)
        for name, value in generator.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, weight)
        print(f"step {step + 1}  discriminator {d_loss.item():.4f}  generator {g_loss.item():.4f}")
    return average


if __name__ == "__main__":
    folder, to, count = sys.argv[1:]
    torch.save(train(read_pictures(Path(folder) / "pixels.npy"), int(count)), to)
