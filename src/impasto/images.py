"""Where pixels change their form: uint8 to [-1, 1] and back.

This is the only module in which bytes become numbers around zero. Everything upstream of it holds
uint8 pictures `n h w c`, everything a network of ours sees is float `n c h w` in [-1, 1].
"""

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

Picture = Float[Tensor, "1 3 _ _"]  # one picture in [-1, 1], of any size


def to_float(images: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n c h w"]:
    """Pixels in [-1, 1]: 0 becomes -1 and 255 becomes 1. Memory stays channels-last."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_centred(images: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n c h w"]:
    """Pixels in [-1, 1) for networks that learned so: 0 becomes -1 and 128 becomes 0. Exact."""
    return images.permute(0, 3, 1, 2).float().sub_(128).div_(128)


def to_uint8(images: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w c"]:
    """Pixels in 0..255, rounded; what lies outside [-1, 1] is clipped."""
    levels = images.detach().float().add(1).mul(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def levels_to_float(levels: Shaped[Tensor, "h w c"], largest: int) -> Float[Tensor, "1 c h w"]:
    """One picture of whole levels up to `largest` (255 or 65,535), in [-1, 1]."""
    return levels.permute(2, 0, 1)[None].float().mul_(2 / largest).sub_(1)


def float_to_levels(picture: Float[Tensor, "1 c h w"], largest: int) -> Shaped[Tensor, "h w c"]:
    """One picture in [-1, 1] as whole levels up to `largest`, rounded; 32-bit whole numbers."""
    levels = picture.detach().float().add(1).mul(largest / 2).round_().clamp_(0, largest)
    return levels[0].permute(1, 2, 0).to(torch.int32).contiguous()
