"""Networks made here: their features are averages by channel, so that one can say what they must be."""

import hashlib
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from drawn import noise
from onnx import TensorProto, helper, numpy_helper

from impasto.errors import ConfigError, ModelError, SourceError
from impasto.evaluation.extractors import Classifier, Extractor, OnnxFeatures, find_extractor

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def numbers(values, name):
    return numpy_helper.from_array(np.array(values), name)


def network(
    path,
    *nodes,
    shape=("n", 3, 8, 8),
    output=("n", "d"),
    kind=TensorProto.FLOAT,
    gives=TensorProto.FLOAT,
    inputs=("images",),
    constants=(),
    metadata=None,
):
    """A network of these nodes, by default the averages of each channel over places."""
    graph = helper.make_graph(
        list(nodes)
        or [helper.make_node("ReduceMean", ["images"], ["out"], axes=[2, 3], keepdims=0)],
        "features",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info("out", gives, output)],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def node(kind, *inputs, to="out", **attributes):
    return helper.make_node(kind, list(inputs), [to], **attributes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


def averages(images, mean=MEAN, std=STD):
    return ((images / 255).mean(axis=(1, 2)) - mean) / std


# Features ---------------------------------------------------------------------------------------


def test_it_is_an_extractor(path):
    extractor = find_extractor(str(network(path)))
    assert isinstance(extractor, Extractor)
    assert not isinstance(extractor, Classifier)
    assert extractor.name == "onnx:net.onnx"
    assert extractor.dimensions == 3
    assert extractor.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    features = extractor(noise(5, side=8))
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, averages(noise(5, side=8)), rtol=0, atol=1e-5)


def test_capitals_in_the_ending_are_the_same(tmp_path):
    assert find_extractor(str(network(tmp_path / "NET.ONNX"))).name == "onnx:NET.ONNX"


@pytest.mark.parametrize(
    ("nodes", "settings"),
    [
        ([node("Identity", "images")], {"output": ("n", 3, 8, 8)}),
        ([node("GlobalAveragePool", "images")], {"output": ("n", 3, 1, 1)}),
        (
            [node("ReduceMean", "images", axes=[1, 2], keepdims=0)],
            {"shape": ("n", 8, 8, 3)},
        ),
        ([node("Identity", "images")], {"shape": ("n", 8, 8, 3), "output": ("n", 8, 8, 3)}),
    ],
    ids=["maps", "pooled", "channels last", "maps with channels last"],
)
def test_layouts(path, nodes, settings):
    features = OnnxFeatures(network(path, *nodes, **settings))(noise(3, side=8))
    np.testing.assert_allclose(features, averages(noise(3, side=8)), rtol=0, atol=1e-5)


def test_half_and_double_outputs_become_float32(path):
    for kind in (TensorProto.FLOAT16, TensorProto.DOUBLE):
        cast = helper.make_node("Cast", ["means"], ["out"], to=kind)
        mean = node("ReduceMean", "images", to="means", axes=[2, 3], keepdims=0)
        features = OnnxFeatures(network(path, mean, cast, gives=kind))(noise(3, side=8))
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, averages(noise(3, side=8)), rtol=0, atol=2e-3)


def test_a_convolution_is_torchs(path):
    weight = np.random.default_rng(0).normal(size=(7, 3, 3, 3)).astype(np.float32)
    made = network(
        path,
        node("Conv", "images", "weight", to="maps", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Relu", "maps", to="cut"),
        node("GlobalAveragePool", "cut"),
        shape=("n", 3, "h", "w"),
        output=("n", 7, 1, 1),
        constants=[numbers(weight, "weight")],
        metadata={"mean": "0.5,0.5,0.5", "std": "0.5, 0.5, 0.5"},
    )
    extractor = OnnxFeatures(made, side=20)
    given = torch.from_numpy(noise(4, side=20)).permute(0, 3, 1, 2) / 127.5 - 1
    maps = torch.conv2d(given, torch.from_numpy(weight), stride=2, padding=1).relu()
    assert extractor.dimensions == 7
    np.testing.assert_allclose(extractor(noise(4, side=20)), maps.mean((2, 3)), atol=1e-5)


def test_grey_and_colour_meet(path):
    coloured = OnnxFeatures(network(path))
    grey = noise(3, side=8, channels=1)
    np.testing.assert_allclose(coloured(grey), coloured(grey.repeat(3, 3)), atol=1e-6)
    alone = OnnxFeatures(network(path, shape=("n", 1, 8, 8)))
    expected = averages(grey, MEAN.mean(), STD.mean())
    np.testing.assert_allclose(alone(grey), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(alone(grey.repeat(3, 3)), expected, rtol=0, atol=1e-5)
    luma = (noise(3, side=8) @ [[0.299], [0.587], [0.114]]).astype(np.float64)
    expected = averages(luma, MEAN.mean(), STD.mean())
    np.testing.assert_allclose(alone(noise(3, side=8)), expected, rtol=0, atol=1e-5)
    last = OnnxFeatures(
        network(path, node("Identity", "images"), shape=("n", 8, 8, 1), output=("n", 8, 8, 1))
    )
    np.testing.assert_allclose(last(grey), alone(grey), rtol=0, atol=1e-5)


def test_features_do_not_depend_on_the_company(path):
    extractor = OnnxFeatures(network(path))
    expected = extractor(noise(9, side=12))
    for extractor.batch in (1, 4):
        assert np.abs(extractor(noise(9, side=12)) - expected).max() < 1e-6
    assert extractor(noise(0)).shape == (0, 3)
    assert np.array_equal(
        extractor(torch.from_numpy(noise(9, side=12))), extractor(noise(9, side=12))
    )


def test_a_network_of_fixed_batch_is_given_whole_ones(path):
    extractor = OnnxFeatures(network(path, shape=(4, 3, 8, 8), output=(4, 3)))
    assert extractor.batch == 4
    for count in (0, 1, 4, 6):
        images = noise(count, side=8)
        np.testing.assert_allclose(extractor(images), averages(images), rtol=0, atol=1e-5)
    assert OnnxFeatures(path, batch=4).batch == 4
    with pytest.raises(ConfigError, match=r"batch: 5: .*net\.onnx takes 4 pictures at once; leave"):
        OnnxFeatures(path, batch=5)


def test_other_channels_are_refused(path):
    with pytest.raises(SourceError, match="4 channels"):
        OnnxFeatures(network(path))(noise(2, channels=4))


def test_a_device_that_onnx_runtime_cannot_use_is_the_cpu(path):
    extractor = find_extractor(str(network(path)), device="cuda:0")
    assert extractor(noise(2)).shape == (2, 3)


# Sizes ------------------------------------------------------------------------------------------


def extents(path, shape):
    """A network that answers with the height and width that it was given."""
    return network(
        path,
        node("Shape", "images", to="shape", start=2),
        helper.make_node("Cast", ["shape"], ["sizes"], to=TensorProto.FLOAT),
        node("ReduceMean", "images", to="means", axes=[1, 2, 3], keepdims=0),
        node("Mul", "means", "zero", to="zeros"),
        node("Unsqueeze", "zeros", "one", to="column"),
        node("Add", "column", "sizes"),
        shape=shape,
        constants=[
            numbers(np.float32(0), "zero"),
            numbers(np.array([1], np.int64), "one"),
        ],
    )


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [
        (("n", 3, 20, 12), None, [20, 12]),
        (("n", 3, 20, "w"), None, [20, 20]),
        (("n", 3, "h", "w"), None, [224, 224]),
        (("n", 3, "h", "w"), 48, [48, 48]),
        (("n", "c", None, None), 48, [48, 48]),
        (("n", 3, 48, 48), 48, [48, 48]),
    ],
)
def test_the_side_is_the_networks_else_the_callers_else_224(path, shape, side, expected):
    extractor = OnnxFeatures(extents(path, shape), side=side)
    assert extractor(noise(1)).tolist() == [expected]
    assert f"stretched to {expected[1]}x{expected[0]}" in extractor.resize


def test_sides_that_cannot_be_are_refused(path):
    network(path)
    with pytest.raises(ConfigError, match=r"side: 64: .*net\.onnx takes pictures of 8x8; leave"):
        OnnxFeatures(path, side=64)
    with pytest.raises(ConfigError, match=r"^side: 0 is too small"):
        OnnxFeatures(path, side=0)
    with pytest.raises(ConfigError, match=r"^batch: 0 is too small"):
        OnnxFeatures(path, batch=0)


# Normalisation ----------------------------------------------------------------------------------


def test_metadata_say_how_pictures_are_normalised(path):
    network(path, metadata={"mean": "0,0.5,1", "std": "1, 0.5, 0.25", "location": "x" * 99})
    extractor = OnnxFeatures(path)
    images = noise(3, side=8)
    expected = averages(images, [0, 0.5, 1], [1, 0.5, 0.25])
    np.testing.assert_allclose(extractor(images), expected, rtol=0, atol=1e-5)
    assert extractor.resize == (
        "stretched to 8x8, bicubic, antialiased; "
        "normalised with mean 0, 0.5, 1 and deviation 1, 0.5, 0.25"
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"mean": "0,0,0"},
        {"std": "1,1,1"},
        {"mean": "0,0,0", "std": "1,1,0"},
        {"mean": "0,0,0", "std": "1,1"},
        {"mean": "0,zero,0", "std": "1,1,1"},
        {"mean": "0,nan,0", "std": "1,1,1"},
        {"mean": "", "std": ""},
    ],
)
def test_metadata_that_are_no_numbers_are_refused(path, metadata):
    with pytest.raises(ModelError, match=r"net\.onnx: the metadata name .* three numbers"):
        OnnxFeatures(network(path, metadata=metadata))


# What is no extractor ---------------------------------------------------------------------------


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ModelError, match=r"no\.onnx cannot be read \(No such file"):
        find_extractor(str(tmp_path / "no.onnx"))
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match=r"folder\.onnx cannot be read"):
        find_extractor(str(tmp_path / "folder.onnx"))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 nothing of the kind", bytes(999)])
def test_files_that_are_no_networks(path, raw):
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"net\.onnx: not a network that ONNX Runtime reads"):
        OnnxFeatures(path)


@pytest.mark.parametrize("count", [2, 2000])
def test_a_network_in_several_files_is_refused(path, count):
    made = network(
        path,
        node("ReduceMean", "images", to="means", axes=[2, 3], keepdims=0),
        node("MatMul", "means", "weight"),
        constants=[numbers(np.ones((3, count), np.float32), "weight")],
    )
    assert OnnxFeatures(made).dimensions == count
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, size_threshold=0, location="w" * 140)
    with pytest.raises(ModelError, match=r"net\.onnx: part of the network is in other files"):
        OnnxFeatures(path)


@pytest.mark.parametrize(
    "settings",
    [
        {"shape": ("n", 4, 8, 8)},
        {"shape": ("n", 3, 8)},
        {"kind": TensorProto.DOUBLE, "gives": TensorProto.DOUBLE},
        {"inputs": ("images", "more")},
    ],
)
def test_networks_that_take_something_else(path, settings):
    axes = list(range(2, len(settings.get("shape", "nchw"))))
    made = network(path, node("ReduceMean", "images", axes=axes, keepdims=0), **settings)
    with pytest.raises(
        ModelError, match=r"net\.onnx: the network takes \(images: tensor.* export it"
    ):
        OnnxFeatures(made)


@pytest.mark.parametrize(
    ("nodes", "settings"),
    [
        ([node("ReduceMean", "images", keepdims=0)], {"output": ()}),
        ([node("ReduceMean", "images", axes=[2], keepdims=0)], {"output": ("n", 3, 8)}),
        ([node("ReduceMean", "images", axes=[0, 2], keepdims=0)], {"output": (3, 8)}),
        ([node("Shape", "images")], {"output": (4,), "gives": TensorProto.INT64}),
    ],
    ids=["one number", "rank 3", "other rows", "whole numbers"],
)
def test_networks_that_give_something_else(path, nodes, settings):
    with pytest.raises(
        ModelError, match=r"net\.onnx: the first output is .* for 2 pictures; export"
    ):
        OnnxFeatures(network(path, *nodes, **settings))


def test_outputs_that_are_not_finite(path):
    made = network(
        path,
        node("ReduceMean", "images", to="means", axes=[2, 3], keepdims=0),
        node("Add", "means", "one", to="more"),
        node("Log", "more"),
        constants=[numbers(np.float32(1), "one")],
    )
    extractor = OnnxFeatures(made)
    assert np.isfinite(extractor(np.full((2, 8, 8, 3), 200, np.uint8))).all()
    with pytest.raises(ModelError, match=r"net\.onnx: features are not all finite numbers; export"):
        extractor(np.zeros((2, 8, 8, 3), np.uint8))


def test_a_network_that_fails_with_several_pictures(path):
    made = network(
        path,
        node("ReduceMean", "images", to="means", axes=[2, 3], keepdims=0),
        node("Reshape", "means", "shape"),
        constants=[numbers(np.array([1, 3], np.int64), "shape")],
    )
    with pytest.raises(ModelError, match=r"net\.onnx: the network fails with 2 pictures .*batch"):
        OnnxFeatures(made)
    assert OnnxFeatures(made, batch=1)(noise(3)).shape == (3, 3)


def test_without_onnx_runtime(path, monkeypatch):
    network(path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"net\.onnx: .* pip install 'impasto\[onnx\]'"):
        OnnxFeatures(path)


@pytest.mark.parametrize(("device", "expected"), [("cpu", False), ("cuda:1", True)])
def test_a_graphics_card_is_asked_for_where_onnx_runtime_can(path, monkeypatch, device, expected):
    asked = []
    original = onnxruntime.InferenceSession

    def session(source, options, providers):
        asked.extend(providers)
        return original(source, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    OnnxFeatures(network(path), device=device)
    card = ("CUDAExecutionProvider", {"device_id": 1, "use_tf32": 0})
    assert asked == [*([card] if expected else []), "CPUExecutionProvider"]
