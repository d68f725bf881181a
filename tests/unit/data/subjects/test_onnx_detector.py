"""Detectors made here: they find the brightest place, and answer in each of the usual ways."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from impasto.data.config import Subject
from impasto.data.subjects.detectors import detector_of
from impasto.errors import SourceError

SIDE = 32


def network(path, outputs, constants, *, layout="nchw", kind=TensorProto.FLOAT):
    """A network that looks at its input just enough to be valid, and answers with constants."""
    shape = [1, 3, SIDE, SIDE] if layout == "nchw" else [1, SIDE, SIDE, 3]
    nodes = [
        helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["numbers"], ["brightest"], keepdims=0),
    ]
    for name in outputs:
        nodes.append(helper.make_node("Mul", [f"{name}_constant", "brightest"], [name]))
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", kind, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, np.shape(value))
            for name, value in zip(outputs, constants, strict=True)
        ],
        [
            numpy_helper.from_array(np.array(value, np.float32), f"{name}_constant")
            for name, value in zip(outputs, constants, strict=True)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return str(path)


WHITE = np.full((64, 64, 3), 255, np.uint8)  # twice the network's side: boxes come back doubled
BOX = [4.0, 8.0, 12.0, 20.0]  # left, top, right, bottom
EXPECTED = (8.0, 16.0, 16.0, 24.0)  # left, top, width, height, in the view


def found(path, **settings):
    detector = detector_of(Subject(name=path, **settings))
    return [(s.left, s.top, s.width, s.height, round(s.score, 3)) for s in detector.find(WHITE)]


@pytest.mark.parametrize(
    ("outputs", "constants"),
    [
        (("boxes", "scores"), ([BOX, [0, 0, 9, 9]], [0.9, 0.1])),
        (("scores", "boxes"), ([[0.9, 0.1]], [[BOX, [0, 0, 9, 9]]])),
        (("a", "b"), ([BOX, [0, 0, 9, 9]], [[0.2, 0.9], [0.1, 0.0]])),
        (("boxes", "labels", "scores"), ([BOX], [3], [0.9])),
        (("boxes", "scores"), ([[n / SIDE for n in BOX]], [0.9])),
    ],
)
def test_boxes_and_scores(tmp_path, outputs, constants):
    path = network(tmp_path / "net.onnx", outputs, constants)
    assert found(path) == [(*EXPECTED, 0.9)]


def test_rows_in_the_manner_of_yolo(tmp_path):
    middle = [8.0, 14.0, 8.0, 12.0]
    rows = np.zeros((1, 6, 40), np.float32)  # four numbers and two classes, forty boxes
    rows[0, :, 7] = [*middle, 0.1, 0.8]
    assert found(network(tmp_path / "v8.onnx", ("output0",), (rows,))) == [(*EXPECTED, 0.8)]
    rows = np.zeros((1, 9, 6), np.float32)
    rows[0, 2] = [*BOX, 0.7, 5]
    assert found(network(tmp_path / "end.onnx", ("output0",), (rows,))) == [(*EXPECTED, 0.7)]


def test_boxes_that_overlap_are_one(tmp_path):
    boxes = [BOX, [4.5, 8, 12.5, 20], [20, 20, 30, 30]]
    path = network(tmp_path / "net.onnx", ("boxes", "scores"), (boxes, [0.8, 0.9, 0.6]))
    assert [score for *_, score in found(path)] == [0.9, 0.6]
    assert [score for *_, score in found(path, score=0.7)] == [0.9]
    assert found(path, smallest=0.4) == []


def test_bytes_with_channels_last(tmp_path):
    path = network(
        tmp_path / "net.onnx",
        ("boxes", "scores"),
        (np.array([BOX]) / 255, [0.9 / 255]),
        layout="nhwc",
        kind=TensorProto.UINT8,
    )
    assert found(path) == [(*EXPECTED, 0.9)]


def test_nothing_found(tmp_path):
    empty = np.zeros((0, 4)), np.zeros(0)
    assert found(network(tmp_path / "net.onnx", ("boxes", "scores"), empty)) == []


def test_outputs_that_are_no_boxes(tmp_path):
    path = network(tmp_path / "net.onnx", ("probabilities",), (np.ones((1, 3)),))
    with pytest.raises(SourceError, match=r"net.onnx: outputs .* are not boxes .* and scores"):
        found(path)
