"""The house stands as drawn: public names, what is imported when, and where things may be."""

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import impasto
from impasto.families import FAMILIES
from impasto.families.base import Family

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "impasto"
MODULES = sorted(SOURCE.rglob("*.py"))
PUBLIC = {
    "BadInput",
    "ImpastoError",
    "Painting",
    "RECIPES",
    "RunConfig",
    "Training",
    "__version__",
    "anomalies",
    "compare",
    "compress",
    "decode",
    "decompress",
    "doctor",
    "edit",
    "encode",
    "evaluate",
    "index",
    "inspect",
    "interpolate",
    "invert",
    "learn_normals",
    "load",
    "map_pictures",
    "prepare",
    "repaint",
    "report",
    "resume",
    "resume_painting",
    "review",
    "sample",
    "search",
    "stylize",
    "train",
    "train_style",
}


def name_of(path):
    return path.relative_to(SOURCE).as_posix()


def nodes(path, *kinds):
    return [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, kinds)]


# Public names ----------------------------------------------------------------------------------


def test_public_names_are_these():
    assert set(impasto.__all__) == PUBLIC
    assert len(impasto.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_resolve_and_say_what_they_are(name):
    value = getattr(impasto, name)
    assert name in dir(impasto)
    if name.islower() and not name.startswith("_"):
        assert inspect.getdoc(value)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = impasto.nothing_of_the_kind


# What is imported when --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        ["--help"],
        ["--version"],
        *([verb, "--help"] for verb in ("train", "demo", "compare", "weights")),
        ["weights"],
    ],
)
def test_torch_is_not_imported_to_say_hello(arguments):
    script = f"""
import sys
import impasto
if {arguments!r} is not None:
    from impasto.cli.main import main
    try:
        main({arguments!r})
    except SystemExit as ended:
        assert not ended.code
assert "torch" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_pictures_are_prepared_and_looked_at_without_torch(tmp_path):
    code = """
import sys
from impasto.cli import commands, verbs
import impasto.data.inspection.inspect
verbs.run(commands.Prepare(source="kittens:8", to=sys.argv[1], size=16))
assert "torch" not in sys.modules
"""
    where = [sys.executable, "-c", code, str(tmp_path / "set")]
    subprocess.run(where, check=True, capture_output=True, text=True)


def test_counting_parameters_needs_neither_torchs_compiler_nor_fabric():
    script = """
import sys
import impasto.workflows.training
from impasto.recipes import listing
assert len(list(listing())) > 5
assert not {"torch._dynamo", "lightning_fabric"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# What may be where -------------------------------------------------------------------------------


def test_every_room_stands_on_a_floor():
    """A room that the contract does not name would be guarded by nobody."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    floors = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    named = {room.strip() for floor in floors for room in floor.split("|")}
    rooms = {path.stem for path in SOURCE.glob("*.py")} | {
        path.parent.name for path in SOURCE.glob("*/__init__.py")
    }
    assert rooms - {"__init__"} == named


def test_no_room_is_a_drawer():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    parts = {part for path in MODULES for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert not {part.strip("_") for part in parts} & drawers


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_pickle_is_written_or_read(path):
    pickling = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    imported = {alias.name for node in nodes(path, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes(path, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in imported} & pickling
    for call in nodes(path, ast.Call):
        said = ast.unparse(call.func)
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert said != "torch.save", f"line {call.lineno}"
        assert said != "torch.load" or given.get("weights_only") == "True", f"line {call.lineno}"
        assert given.get("allow_pickle", "False") == "False", f"line {call.lineno}"


# images.py is that module; a detector of somebody else's wants its input as they trained it.
SCALING = {"images.py", "data/subjects/onnx_detector.py"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if name_of(path) not in SCALING], ids=name_of
)
def test_pixels_change_their_form_in_one_module(path):
    """Elsewhere 127.5 does not occur, and nothing is divided or multiplied by 255."""
    for constant in nodes(path, ast.Constant):
        assert constant.value != 127.5, f"line {constant.lineno}"
    for operation in nodes(path, ast.BinOp):
        scaled = {ast.Div: [operation.right], ast.Mult: [operation.left, operation.right]}
        assert not any(map(is_255, scaled.get(type(operation.op), []))), f"line {operation.lineno}"
    for call in nodes(path, ast.Call):
        method = ast.unparse(call.func).rpartition(".")[2].rstrip("_")
        scales = method in {"div", "mul", "divide", "multiply", "true_divide"}
        assert not (scales and any(map(is_255, call.args))), f"line {call.lineno}"


def is_255(node):
    return isinstance(node, ast.Constant) and node.value == 255


def test_pixels_change_their_form_in_images():
    values = {constant.value for constant in nodes(SOURCE / "images.py", ast.Constant)}
    assert 127.5 in values


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_one_file(name):
    family = FAMILIES[name]
    module = inspect.getmodule(family)
    assert module.__name__ == f"impasto.families.{name}"
    defined = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Family)
        and not inspect.isabstract(value)
        and value.__module__ == module.__name__
    ]
    assert defined == [family]
    assert type(family.tiny.config).__module__ == module.__name__
    assert family.tiny.config.name == name
    assert "tiny" in vars(family)
    assert {"step", "objective"} & vars(family).keys()


def test_families_do_not_know_each_other_unless_one_is_a_kind_of_the_other():
    for name, family in FAMILIES.items():
        imported = {
            node.module for node in nodes(SOURCE / "families" / f"{name}.py", ast.ImportFrom)
        }
        others = {f"impasto.families.{other}" for other in FAMILIES if other != name}
        assert not imported & others - {kind.__module__ for kind in family.__mro__}
