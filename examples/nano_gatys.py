"""Neural style transfer of 2016 in one plain script. impasto's first losses agree with it to four digits.

    python examples/nano_gatys.py content.npy style.npy vgg19-dcbb9e9d.pth painted.pt 100

Pictures are uint8 arrays h w 3 of one size. The loop does the published mathematics without the published
waste: what is wanted is computed once, and nothing is computed behind the last layer that is used. The
published loop keeps what comes out of a convolution, and the ReLU behind it then works in place: so what it
compares has been through the ReLU. A network that was shown pixels in other units (vgg16-hed: 0 to 255) is
shown them again, and what it sees is brought back to the published units, so that the weights stay right.
"""

import json
import struct
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

RATE, BETAS, STYLE_WEIGHT = 0.003, (0.5, 0.999), 100.0
COLUMNS = {16: "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M"}
COLUMNS[19] = "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"
LAYERS = {16: (0, 5, 10, 17, 24), 19: (0, 5, 10, 19, 28)}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file, and what its header says."""
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    facts = header.pop("__metadata__", {})
    tensors = {}
    for name, told in header.items():
        start, end = (8 + size + place for place in told["data_offsets"])
        kind = {"F16": torch.float16, "F32": torch.float32}[told["dtype"]]
        values = torch.frombuffer(bytearray(raw[start:end]), dtype=kind)
        tensors[name] = values.view(told["shape"]).float()
    return tensors, facts


def network(depth: int, weights: dict[str, Tensor]) -> nn.Sequential:
    """VGG's layers, numbered as published, up to the last one that is used."""
    layers: list[nn.Module] = []
    width = 3
    for word in COLUMNS[depth].split():
        if word == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(width, int(word), 3, padding=1), nn.ReLU(inplace=True)]
            width = int(word)
    vgg = nn.Sequential(*layers[: LAYERS[depth][-1] + 2])
    own = vgg.state_dict()
    vgg.load_state_dict({name: weights[f"features.{name}"] for name in own})
    return vgg.requires_grad_(requires_grad=False)


def features(
    vgg: nn.Sequential, layers: tuple[int, ...], picture: Tensor, units: float
) -> list[Tensor]:
    """What the network holds at these layers, behind their ReLU."""
    held = []
    for number, layer in enumerate(vgg):
        picture = layer(picture)
        if number - 1 in layers:
            held.append(picture / units)
    return held


def gram(maps: Tensor) -> Tensor:
    """Features times features, summed over all places."""
    flat = maps.view(maps.shape[1], -1)
    return flat @ flat.t()


def paint(
    content: Tensor, style: Tensor, vgg: nn.Sequential, depth: int, steps: int,
    mean: tuple[float, ...] = MEAN, deviation: tuple[float, ...] = DEVIATION,
) -> tuple[Tensor, list[tuple[float, float]]]:  # fmt: skip
    """The painting, uint8 h w 3, and the content and style loss of every step."""
    shift, scale, mean_, deviation_ = (
        torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, DEVIATION, mean, deviation)
    )
    units = sum(DEVIATION) / sum(deviation)

    def seen(normal: Tensor) -> list[Tensor]:
        return features(vgg, LAYERS[depth], (normal * scale + shift - mean_) / deviation_, units)

    shown = [
        (each.permute(2, 0, 1)[None].float() / 255 - shift) / scale for each in (content, style)
    ]
    wanted, grams = seen(shown[0]), [gram(maps) for maps in seen(shown[1])]
    target = shown[0].clone().requires_grad_()
    adam = torch.optim.Adam([target], RATE, BETAS)
    told = []
    for step in range(1, steps + 1):
        content_loss, style_loss = torch.zeros(()), torch.zeros(())
        for maps, maps_wanted, gram_wanted in zip(seen(target), wanted, grams, strict=True):
            content_loss = content_loss + (maps - maps_wanted).square().mean()
            apart = (gram(maps) - gram_wanted).square().mean()
            style_loss = style_loss + apart / maps.numel()
        adam.zero_grad()
        (content_loss + STYLE_WEIGHT * style_loss).backward()
        adam.step()
        with torch.no_grad():  # a picture stays one
            target.copy_(((target * scale + shift).clamp(0, 1) - shift) / scale)
        told.append((float(content_loss.detach()), float(style_loss.detach())))
        if step % 10 == 0 or step == 1:
            print(f"step {step} content {told[-1][0]:.4f} style {told[-1][1]:.4f}")
    pixels = ((target.detach() * scale + shift) * 255).round().to(torch.uint8)
    return pixels[0].permute(1, 2, 0), told


def read_picture(path: Path) -> Tensor:
    """The uint8 picture, h w 3, in a NumPy file."""
    raw = bytearray(path.read_bytes())
    (header,) = struct.unpack("<H", raw[8:10])
    shape = raw[10 : 10 + header].decode("latin-1").split("'shape': (")[1].split(")")[0]
    return torch.frombuffer(raw, dtype=torch.uint8, offset=10 + header).view(
        *(int(side) for side in shape.split(",") if side.strip())
    )


def main() -> None:
    content, style, weights, to, steps = sys.argv[1:]
    if weights.endswith(".safetensors"):
        state, facts = read_safetensors(Path(weights))
        mean, deviation = (tuple(json.loads(facts[name])) for name in ("mean", "std"))
    else:
        state, mean, deviation = torch.load(weights, weights_only=True), MEAN, DEVIATION
    depth = 19 if "features.34.weight" in state else 16
    shown, like = (read_picture(Path(path)) for path in (content, style))
    painted, _ = paint(shown, like, network(depth, state), depth, int(steps), mean, deviation)
    torch.save(painted, to)


if __name__ == "__main__":
    main()
