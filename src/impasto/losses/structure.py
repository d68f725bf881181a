"""How alike the structure of two pictures is, around each pixel: a pure function of both."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

WINDOW = 7  # pixels on a side over which structure is compared


def dissimilarity(
    images: Float[Tensor, "n c h w"], others: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n h w"]:
    """How unlike the structure around each pixel is, from 0 to 2: one minus the structural similarity.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity, 2004, equation 13.
    """

    def mean(values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return avg_pool2d(values, WINDOW, 1, WINDOW // 2, count_include_pad=False)

    x, y = (images.float() + 1) / 2, (others.float() + 1) / 2
    mean_x, mean_y = mean(x), mean(y)
    variance_x = mean(x * x) - mean_x**2
    variance_y = mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    bright, rough = 0.01**2, 0.03**2
    alike = ((2 * mean_x * mean_y + bright) * (2 * covariance + rough)) / (
        (mean_x**2 + mean_y**2 + bright) * (variance_x + variance_y + rough)
    )
    told: Tensor = 1 - alike.mean(1)
    return told
