"""Named recipes: the published systems, each with its facts, and the ones of our own.

A recipe is a value of `RunConfig`. `impasto recipes show NAME` prints one as YAML; edited, it is passed
back with `--recipe FILE`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from impasto.config import from_yaml, to_yaml
from impasto.data.config import DataConfig
from impasto.errors import ConfigError, nearest
from impasto.families import FAMILIES
from impasto.families.autoencoder import AutoencoderConfig
from impasto.families.conditional_vae import ConditionalVAEConfig
from impasto.families.dcgan import DCGANConfig, Kernel
from impasto.families.mlp_gan import MLPGANConfig
from impasto.families.sharp_vae import SharpVAEConfig
from impasto.families.trick_gan import TrickGANConfig
from impasto.families.vae import VAEConfig
from impasto.nn.blocks import outlined
from impasto.runs.config import RunConfig, TrainConfig
from impasto.schedules import Cosine, InverseTime, StepDecay
from impasto.style.config import PublishedConfig, StyleConfig
from impasto.types import Budget

C = TypeVar("C")

_THIRDS = Kernel(size=5, stride=3, padding=1)  # 96 pixels to 32 and back

_CATS = DCGANConfig(
    generator_head=_THIRDS,
    discriminator_stem=_THIRDS,
    generator_biases=(2,),
    discriminator_biases=(4,),
    schedule=StepDecay(gamma=0.9, epochs=100),
)

_FACES = DataConfig(size=64, crop="center", crop_pixels=90, validation=0.2)
_DIGITS = DataConfig(size=28, channels=1, flip=False)

_ALL = (
    RunConfig(
        name="kittens",
        description=(
            "The built-in cats at 64x64 in minutes on a laptop's CPU: a narrow DCGAN whose discriminator has "
            "biases and a light gradient penalty instead of batch norm, and small batches, since at such a budget the "
            "number of steps matters more than their size."
        ),
        data=DataConfig(size=64, flip=False),
        family=DCGANConfig(
            latents=64,
            width=32,
            generator_biases=(4,),
            discriminator_norm="none",
            discriminator_biases=(0, 1, 2, 3, 4),
            learning_rate=5e-4,
            betas=(0.0, 0.99),
            r1_gamma=0.2,
            schedule=Cosine(final=0.1),
            ema_half_life=5_000,
        ),
        train=TrainConfig(batch=16, budget=Budget(3_000, "steps")),
    ),
    RunConfig(
        name="cats96",
        description=(
            "Cat pictures at 96x96 by DCGAN. Quirks kept: a 5/3/1 kernel beside the picture, a bias in the "
            "generator's third layer and in the discriminator's last. The learning rate falls by a tenth every "
            "100 epochs, as on a small curated set; on a large one use --set family.schedule.epochs=10. Not kept: "
            "one noise batch for the whole training, real pixels in [0, 1] against tanh."
        ),
        data=DataConfig(size=96, crop="random"),
        family=_CATS,
        train=TrainConfig(batch=64, budget=Budget(230, "epochs")),
    ),
    RunConfig(
        name="anime96-few",
        description=(
            "The network of cats96 on only 25 square pictures, to see it learn, mix and memorise. Takes 25 of "
            "whatever it is given, holds none back, and shows them neither cropped nor mirrored."
        ),
        data=DataConfig(size=96, crop="squash", flip=False, limit=25, validation=0.0),
        family=_CATS,
        train=TrainConfig(batch=8, budget=Budget(2_000, "steps")),
    ),
    RunConfig(
        name="frogs32",
        description=(
            "One class of small pictures at 32x32 by a convolutional GAN with a bag of tricks: dropout, noise on "
            "labels, reals and fakes in one batch, RMSprop, clipping by value. Quirk kept: latents of 2 dimensions; "
            "32 is the better choice (--set family.latents=32). Watch for the generator's loss climbing while the "
            "discriminator's goes to zero: lower family.discriminator_learning_rate, raise family.dropout. Not kept: "
            "real pixels in [0, 1] against tanh, weights saved without the optimizer."
        ),
        data=DataConfig(size=32, flip=False),
        family=TrickGANConfig(latents=2, schedule=InverseTime(decay=1e-8, batch=20)),
        train=TrainConfig(batch=20, budget=Budget(10_000, "steps"), snapshots=100),
    ),
    RunConfig(
        name="mnist-mlp",
        description=(
            "Grey digits at 28x28 by the fully connected GAN of 2014. Quirk kept: the networks work on pixels in "
            "[0, 1] inside (sigmoid output), default Adam betas. The generator learns from the fake batch of the "
            "discriminator's step."
        ),
        data=DataConfig(size=28, channels=1, flip=False),
        family=MLPGANConfig(),
        train=TrainConfig(batch=32, budget=Budget(100, "epochs")),
    ),
    RunConfig(
        name="faces64",
        description=(
            "Aligned faces at 64x64 by a wide DCGAN (100 channels), seed 999, deterministic. Without batch norm in "
            "the discriminator (--set family.discriminator_norm=none) the same run learns outlines and no colours."
        ),
        data=DataConfig(size=64, flip=False),
        family=DCGANConfig(width=100),
        train=TrainConfig(batch=128, budget=Budget(50, "epochs"), seed=999),
    ),
    RunConfig(
        name="lfw64-gan",
        description=(
            "Labelled faces in the wild at 64x64 by DCGAN: centre crop of 90 pixels, a fifth held out from a fixed "
            "seed and scored in the ticks. Quirks kept: a 3/2/1 kernel, batch norm on all four hidden layers and plain "
            "ReLU in the discriminator. With batch norm on its first layer it must see reals and fakes in one batch: "
            "apart, it knows them by their noise alone and the generator learns nothing. Not kept: 16 reals against 64 "
            "fakes, real pixels in [0, 1] against tanh."
        ),
        data=DataConfig(size=64, crop="center", crop_pixels=90, flip=False, validation=0.2),
        family=DCGANConfig(
            latents=128,
            discriminator_stem=Kernel(size=3, stride=2, padding=1),
            discriminator_norm="hidden",
            discriminator_batches="mixed",
            discriminator_activation="relu",
        ),
        train=TrainConfig(batch=64, budget=Budget(10, "epochs")),
    ),
    RunConfig(
        name="lfw64-ae",
        description=(
            "Faces at 64x64 through 128 numbers and back by a plain autoencoder: to compress, to search, to find "
            "what is odd. --set family.reconstruction=bce for cross-entropy, family.noise=0.3 for a denoising one."
        ),
        data=_FACES,
        family=AutoencoderConfig(),
        train=TrainConfig(batch=32, budget=Budget(20, "epochs")),
    ),
    RunConfig(
        name="lfw64-vae",
        description=(
            "The same as a variational autoencoder with a calibrated decoder, whose latents follow a distribution that "
            "new faces can be drawn from."
        ),
        data=_FACES,
        family=VAEConfig(),
        train=TrainConfig(batch=32, budget=Budget(20, "epochs")),
    ),
    RunConfig(
        name="lfw64-cvae",
        description=(
            "The same, told what is known of each picture (its folder, its row in a table), joined at the decoder's "
            "input: impasto sample RUN --condition happiness. --set family.at_every_layer=true family.at_encoder=true "
            "for the variants."
        ),
        data=_FACES,
        family=ConditionalVAEConfig(),
        train=TrainConfig(batch=32, budget=Budget(20, "epochs")),
    ),
    RunConfig(
        name="digits-vae",
        description="Grey digits at 28x28 by a variational autoencoder with 32 latents.",
        data=_DIGITS,
        family=VAEConfig(latents=32),
        train=TrainConfig(batch=64, budget=Budget(5, "epochs")),
    ),
    RunConfig(
        name="digits-cvae",
        description="The same, told which digit it is: impasto sample RUN --condition 7.",
        data=_DIGITS,
        family=ConditionalVAEConfig(latents=32),
        train=TrainConfig(batch=64, budget=Budget(5, "epochs")),
    ),
    RunConfig(
        name="kittens-cvae",
        description=(
            "The built-in cats at 64x64, told their body, fur, eyes, mouth and accessory: impasto sample RUN "
            "--condition eyes5 mouth2."
        ),
        data=DataConfig(size=64, flip=False),
        family=ConditionalVAEConfig(width=24, at_every_layer=True),
        train=TrainConfig(batch=32, budget=Budget(20, "epochs")),
    ),
    RunConfig(
        name="kittens-sharp",
        description=(
            "The built-in cats at 64x64 through a map of latents and back, by eyes rather than by pixels: a perceptual "
            "distance and a discriminator of patches. Wants MobileNet's published weights; --set family.perceptual=0 "
            "does without."
        ),
        data=DataConfig(size=64, flip=False),
        family=SharpVAEConfig(width=24),
        train=TrainConfig(batch=16, budget=Budget(20, "epochs")),
    ),
)

PAINTINGS: dict[str, StyleConfig] = {
    recipe.name: recipe
    for recipe in (
        StyleConfig(
            name="pyramid",
            description=(
                "One picture in the manner of another, from coarse to fine: what stylize does unless told otherwise. "
                "--strength, --detail and --scale mean the same at every size."
            ),
        ),
        StyleConfig(
            name="gatys",
            description=(
                "Neural style transfer as published: five layers, Gram matrices, Adam, content + 100 style, 2,000 "
                "steps, longest side 400, the style brought to the content's size. Not kept: targets computed at "
                "every step, the network run past its last layer, pixels clamped only when saved."
            ),
            size=400,
            painter=PublishedConfig(),
        ),
    )
}

RECIPES: dict[str, RunConfig] = {recipe.name: recipe for recipe in _ALL}


def find_recipe(name_or_file: str) -> RunConfig:
    """The recipe of that name, or the one that a YAML file describes.

    Raises:
        ConfigError: there is neither, or the file does not describe a recipe.
    """
    if name_or_file in PAINTINGS:
        raise ConfigError(
            f"{name_or_file}: a recipe of painting; say `impasto stylize PHOTO PAINTING --recipe {name_or_file}`"
        )
    return _found(name_or_file, RECIPES, RunConfig)


def find_painting(name_or_file: str) -> StyleConfig:
    """The recipe of painting of that name, or the one that a YAML file describes.

    Raises:
        ConfigError: there is neither, or the file does not describe such a recipe.
    """
    if name_or_file in RECIPES:
        raise ConfigError(
            f"{name_or_file}: a recipe of training; for stylize there are {', '.join(PAINTINGS)}"
        )
    return _found(name_or_file, PAINTINGS, StyleConfig)


def _found(name_or_file: str, known: Mapping[str, C], kind: type[C]) -> C:
    if name_or_file in known:
        return known[name_or_file]
    path = Path(name_or_file)
    if path.suffix.lower() in {".yaml", ".yml"} or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path}: cannot be read as a recipe ({error}); name a YAML file such as `impasto recipes show` prints"
            ) from None
        return from_yaml(kind, text, where=str(path))
    raise ConfigError(f"{name_or_file}: no such recipe or file: {nearest(name_or_file, known)}")


def describe(recipe: RunConfig | StyleConfig) -> str:
    """The recipe as YAML, ready to be edited and passed back."""
    return to_yaml(recipe)


def parameters(recipe: RunConfig) -> dict[str, int]:
    """How many numbers each network learns, by the network's name."""
    with outlined():
        networks = FAMILIES[recipe.family.name].networks(recipe.family, recipe.shape)
    return {name: sum(p.numel() for p in net.parameters()) for name, net in networks.items()}


def listing() -> Iterator[dict[str, object]]:
    """Every recipe of training: its name, family, size in pixels, channels, parameters by network, and description."""
    for recipe in RECIPES.values():
        yield {
            "name": recipe.name,
            "family": recipe.family.name,
            "size": recipe.data.size,
            "channels": recipe.data.channels,
            "parameters": parameters(recipe),
            "description": recipe.description,
        }
