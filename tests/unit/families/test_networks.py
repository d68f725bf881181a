import pytest
import torch

from impasto.config import override
from impasto.errors import ConfigError
from impasto.families import FAMILIES
from impasto.families.dcgan import DCGANConfig, Discriminator, Generator, doublings
from impasto.families.gan import GAN
from impasto.recipes import RECIPES, parameters
from impasto.types import ImageShape

# Counted from the published tables.
PUBLISHED = {
    "cats96": {"generator": 3_578_560, "discriminator": 2_767_297},
    "anime96-few": {"generator": 3_578_560, "discriminator": 2_767_297},
    "frogs32": {"generator": 5_281_539, "discriminator": 790_913},
    "mnist-mlp": {"generator": 283_920, "discriminator": 267_009},
    "faces64": {"generator": 8_007_800, "discriminator": 6_740_400},
    "lfw64-gan": {"generator": 3_806_080, "discriminator": 2_764_352},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_the_published_ones(name):
    assert parameters(RECIPES[name]) == PUBLISHED[name]


GANS = [name for name, recipe in RECIPES.items() if issubclass(FAMILIES[recipe.family.name], GAN)]


@pytest.mark.parametrize("name", sorted(RECIPES.keys() - set(GANS)))
def test_what_is_encoded_comes_back_in_the_recipes_shape(name):
    recipe = RECIPES[name]
    networks = FAMILIES[recipe.family.name].networks(recipe.family, recipe.shape)
    latents = FAMILIES[recipe.family.name].latents_of(recipe.family, recipe.shape)
    images = torch.rand(2, recipe.data.channels, recipe.data.size, recipe.data.size)
    known = torch.zeros(2, 0)
    with torch.inference_mode():
        codes = networks["encoder"](images, known)
        decoded = networks["decoder"](codes[:, :latents], known)
    assert codes.shape[1] in (latents, 2 * latents)  # means alone, or with log-variances
    assert decoded.shape == images.shape


@pytest.mark.parametrize("name", GANS)
def test_networks_speak_in_the_recipes_shape(name):
    recipe = RECIPES[name]
    networks = FAMILIES[recipe.family.name].networks(recipe.family, recipe.shape)
    latents = torch.randn(2, recipe.family.latents, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        fake = networks["generator"](latents)
        logits = networks["discriminator"](fake)
    assert fake.shape == (2, recipe.data.channels, recipe.data.size, recipe.data.size)
    assert logits.shape == (2,)
    assert fake.abs().max() <= 1


def sides(network, x, kind):
    seen = []
    for layer in network.layers:
        x = layer(x)
        if isinstance(layer, kind):
            seen.append(x.shape[-1])
    return seen


def test_cats96_has_the_published_sides():
    recipe = RECIPES["cats96"]
    generator = Generator(recipe.family, recipe.shape)
    discriminator = Discriminator(recipe.family, recipe.shape)
    with torch.inference_mode():
        assert sides(generator, torch.zeros(1, 100, 1, 1), torch.nn.ConvTranspose2d) == [
            4,
            8,
            16,
            32,
            96,
        ]
        assert sides(discriminator, torch.zeros(1, 3, 96, 96), torch.nn.Conv2d) == [32, 16, 8, 4, 1]


def test_published_initialisation():
    torch.manual_seed(0)
    generator = Generator(DCGANConfig(), ImageShape(3, 64))
    weights = generator.layers[3].weight
    scales = generator.layers[1].weight
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert scales.mean().item() == pytest.approx(1, abs=0.01)
    assert scales.std().item() == pytest.approx(0.02, rel=0.2)


def test_norms_and_activations_follow_the_configuration():
    def count(recipe, kind):
        networks = FAMILIES["dcgan"].networks(recipe.family, recipe.shape)
        return sum(isinstance(module, kind) for module in networks["discriminator"].modules())

    assert count(RECIPES["faces64"], torch.nn.BatchNorm2d) == 3
    assert count(RECIPES["lfw64-gan"], torch.nn.BatchNorm2d) == 4
    assert count(RECIPES["lfw64-gan"], torch.nn.LeakyReLU) == 0
    without = override(RECIPES["faces64"], ("family.discriminator_norm=none",))
    assert count(without, torch.nn.BatchNorm2d) == 0


@pytest.mark.parametrize(("size", "levels"), [(8, 0), (64, 3), (256, 5)])
def test_the_side_decides_the_depth(size, levels):
    assert doublings(DCGANConfig(), ImageShape(3, size)) == levels


def test_impossible_sides_are_named_with_possible_ones():
    with pytest.raises(ConfigError, match=r"data\.size: 60 pixels .* 8, 16, 32, 64"):
        doublings(DCGANConfig(), ImageShape(3, 60))


def test_a_stem_that_does_not_fit_is_named_with_one_that_does():
    config = override(
        RECIPES["cats96"], ("family.discriminator_stem={size: 4, stride: 2, padding: 1}",)
    )
    with pytest.raises(
        ConfigError,
        match=r"family\.discriminator_stem: 4/2/1 turns 96 pixels into 48, but 32 .* 5/3/1",
    ):
        parameters(config)


@pytest.mark.parametrize(("size", "said"), [(31, "even"), (22, "at least 24")])
def test_trick_gan_says_which_sides_it_makes(size, said):
    with pytest.raises(ConfigError, match=said):
        parameters(override(RECIPES["frogs32"], (f"data.size={size}",)))
