"""The plain scripts in examples/ reach the same weights as impasto, bit for bit."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.images import to_float, to_uint8
from impasto.nn.weights import read_tensors
from impasto.style.config import PublishedConfig
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.style.published import PublishedLoop

EXAMPLES = Path(__file__).parents[2] / "examples"


def script(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def impastos(folder, recipe, steps, run):
    training = impasto.train(
        folder, recipe=recipe, steps=steps, to=run, device="cpu", settings=("data.validation=0",)
    )
    training.finish()
    tensors, _ = read_tensors(run / "model.safetensors")
    return {name.removeprefix("generator/layers."): value for name, value in tensors.items()}


@pytest.mark.parametrize(
    ("name", "recipe", "data", "steps"),
    [
        ("nano_dcgan", "kittens", DataConfig(size=64), 6),
        ("nano_mlp_gan", "mnist-mlp", DataConfig(size=28, channels=1), 30),
    ],
)
def test_weights_are_the_same_bit_for_bit(name, recipe, data, steps, tmp_path, capsys):
    prepared = prepare("kittens:50", data, tmp_path / "set", workers=1)
    plain = script(name)
    pictures = plain.read_pictures(prepared.path / "pixels.npy")
    assert np.array_equal(pictures.numpy(), prepared.images(np.arange(50)))
    theirs = plain.train(pictures, steps)
    assert f"step {steps} " in capsys.readouterr().out
    ours = impastos(tmp_path / "set", recipe, steps, tmp_path / "run")
    assert ours.keys() == theirs.keys()
    different = [
        key
        for key, value in ours.items()
        if value.is_floating_point() and not torch.equal(value, theirs[key])
    ]
    assert not different


def test_losses_of_style_are_the_same_to_four_digits(shared, monkeypatch, capsys):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
    plain = script("nano_gatys")
    weights, facts = plain.read_safetensors(shared / "weights" / "vgg16-hed.safetensors")
    mean, deviation = (tuple(json.loads(facts[name])) for name in ("mean", "std"))
    pictures = [
        torch.tensor(np.asarray(Image.open(shared / "data/style" / name).resize((96, 72))))
        for name in ("content_tubingen.jpg", "starry_night.jpg")
    ]
    painted, told = plain.paint(*pictures, plain.network(16, weights), 16, 10, mean, deviation)
    assert "step 10 content" in capsys.readouterr().out
    network = LossNetwork.published("vgg16-hed", KINDS["vgg16-hed"].published)
    loop = PublishedLoop(network, *(to_float(each[None]) for each in pictures), PublishedConfig())
    for content, style in told:
        ours = loop.step()
        assert float(ours["content"]) == pytest.approx(content, rel=1e-4, abs=1e-9)
        assert float(ours["style"]) == pytest.approx(style, rel=1e-4)
    assert int((to_uint8(loop.picture)[0].int() - painted.int()).abs().max()) <= 1


@pytest.mark.parametrize("name", ["nano_dcgan", "nano_mlp_gan", "nano_gatys"])
def test_scripts_are_short_and_plain(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 150
    imports = [
        line.split()[1].partition(".")[0]
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert set(imports) <= {"hashlib", "json", "math", "struct", "sys", "pathlib", "torch"}
