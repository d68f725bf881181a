"""The fully connected GAN of 2014 in one plain script. It reaches impasto's weights, bit for bit.

    impasto prepare shared/data/mnist --to digits --size 28 --channels 1
    python examples/nano_mlp_gan.py digits nano.pt 200

is, in its weights, the same as

    impasto train digits --recipe mnist-mlp --steps 200 --set data.validation=0 --device cpu
"""

import hashlib
import struct
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

SEED, BATCH, LATENTS, WIDTH, RATE, HALF_LIFE = 0, 32, 64, 256, 2e-4, 10_000


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


def train(pictures: Tensor, steps: int) -> dict[str, Tensor]:
    """The averaged generator's weights after so many steps."""
    torch.set_flush_denormal(True)
    pixels = pictures[0].numel()
    torch.manual_seed(int(stream("weights").initial_seed()))
    generator = nn.Sequential(
        nn.Linear(LATENTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, pixels), nn.Sigmoid(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Linear(pixels, WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, 1), nn.Flatten(0),
    )  # fmt: skip
    average = {name: value.clone() for name, value in generator.state_dict().items()}
    g_adam, d_adam = (
        torch.optim.Adam(network.parameters(), RATE, fused=True)
        for network in (generator, discriminator)
    )
    order = torch.empty(0)
    for step in range(steps):
        seen = step * BATCH
        chosen = []
        for place in range(seen, seen + BATCH):
            epoch, index = divmod(place, len(pictures))
            if index == 0 or not len(order):
                order = torch.randperm(len(pictures), generator=stream("order", epoch))
            chosen.append(int(order[index]))
        # [-1, 1] is what travels in impasto; this network works on [0, 1], on both sides.
        real = ((pictures[chosen].permute(0, 3, 1, 2).float() / 127.5 - 1).flatten(1) + 1) / 2
        fake = generator(torch.randn(BATCH, LATENTS, generator=stream("latents", seen)))
        fake = ((2 * fake - 1) + 1) / 2

        d_adam.zero_grad()
        d_loss = (
            softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
        )
        d_loss.backward()
        d_adam.step()

        g_adam.zero_grad()
        g_loss = softplus(-discriminator(fake)).mean()
        g_loss.backward()
        g_adam.step()

        half_life = min(HALF_LIFE, 0.05 * seen)  # a young average is a short one
        weight = 1 - (0.5 ** (BATCH / half_life) if half_life else 0.0)
        for name, value in generator.state_dict().items():
            average[name].lerp_(value, weight)
        print(f"step {step + 1}  discriminator {d_loss.item():.4f}  generator {g_loss.item():.4f}")
    return average


if __name__ == "__main__":
    folder, to, count = sys.argv[1:]
    torch.save(train(read_pictures(Path(folder) / "pixels.npy"), int(count)), to)
