"""The commands that use a model's latents, as they are typed."""

import json

import numpy as np
import pytest
from PIL import Image
from small import KITTENS

import impasto
from impasto.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("uses") / "run"
    settings = ("data.size=16", "family.width=8", "family.latents=8", "train.batch=8")
    impasto.train(
        KITTENS, recipe="kittens-cvae", to=path, steps=20, device="cpu", settings=settings
    ).finish()
    return str(path)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("uses") / "photo.png"
    image = np.random.default_rng(0).integers(0, 255, (24, 30, 3), np.uint8)
    Image.fromarray(image).save(path)
    return str(path)


def told(capsys, *words):
    """What a command prints with --json: one object."""
    capsys.readouterr()
    main([*words, "--json"])
    (line,) = capsys.readouterr().out.strip().splitlines()
    return json.loads(line)


def test_sampling_what_is_asked_for(run, capsys, tmp_path):
    found = told(
        capsys, "sample", run, "-n", "4", "--condition", "fur3", "--to", f"{tmp_path}/x.png"
    )
    assert found["to"] == f"{tmp_path}/x.png"


def test_encode_then_decode(run, capsys, tmp_path):
    found = told(capsys, "encode", run, KITTENS, "--to", f"{tmp_path}/z.npy")
    assert (found["pictures"], found["latents"]) == (80, 8)
    found = told(capsys, "decode", run, f"{tmp_path}/z.npy", "--to", f"{tmp_path}/back.png")
    assert found["files"] == 1


def test_interpolate_invert_and_edit(run, photo, capsys, tmp_path):
    between = ("--between", photo, photo)
    assert told(capsys, "interpolate", run, *between, "--to", f"{tmp_path}/walk.png")
    found = told(capsys, "invert", run, photo, "--steps", "3", "--to", f"{tmp_path}/z.npy")
    assert found["mean_squared_error"] > 0
    change = ("--change", "fur1:2", "--labelled", "kittens:300", "--pictures", photo)
    assert told(capsys, "edit", run, *change, "--to", f"{tmp_path}/edit.png")


def test_index_then_search(run, photo, capsys, tmp_path):
    found = told(capsys, "index", KITTENS, "--model", run, "--to", f"{tmp_path}/cats.index")
    assert found["pictures"] == found["added"] == 80
    assert "own latents" in found["recall"]
    found = told(capsys, "search", f"{tmp_path}/cats.index", photo, "-k", "12")
    assert len(found["found"]) == 12
    assert {"name", "likeness"} == found["found"][0].keys()


def test_map(run, capsys, tmp_path):
    found = told(
        capsys, "map", KITTENS, "--model", run, "--projection", "pca", "--to", f"{tmp_path}/m.html"
    )
    assert found["pictures"] == 80
    assert {"silhouette", "clusters", "alone", "method", "projection"} <= found.keys()


def test_anomalies(run, capsys, tmp_path):
    found = told(capsys, "anomalies", "--model", run, "--normal", "kittens:40", "--check", KITTENS)
    assert found["checked"] == len(found["pictures"]) == 80
    assert {"name", "score", "odd", "parts"} == found["pictures"][0].keys()
    assert {"threshold", "false_alarm_rate", "auroc", "average_precision"} <= found.keys()


def test_compress_then_decompress(run, photo, capsys, tmp_path):
    pytest.importorskip("constriction", reason="the compress extra is not installed")
    found = told(capsys, "compress", photo, "--model", run, "--to", f"{tmp_path}/photo.imp")
    (picture,) = found["pictures"]
    assert {"bytes", "psnr", "ssim", "others", "bits_per_pixel"} <= picture.keys()
    found = told(capsys, "decompress", f"{tmp_path}/photo.imp", "--to", f"{tmp_path}/back.png")
    with Image.open(found["to"]) as back:
        assert back.size == (30, 24)


def test_what_people_read_says_the_same(run, photo, capsys, tmp_path):
    main(["index", KITTENS, "--model", run, "--to", f"{tmp_path}/cats.index"])
    assert "80 pictures, 80 of them new" in capsys.readouterr().out
    main(["search", f"{tmp_path}/cats.index", photo, "-k", "3"])
    assert len(capsys.readouterr().out.splitlines()) == 3
    main(["anomalies", "--model", run, "--normal", KITTENS, "--check", KITTENS])
    assert "pictures are odd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("anomalies", "--check", KITTENS), "name --model, or --normal"),
        (("index", KITTENS, "--to", "x"), "name --model"),
        (("search", "none.index", "x.png"), "no such index"),
        (("decompress", "none.imp", "--to", "x.png"), "no such file"),
    ],
)
def test_bad_input_is_one_line(capsys, words, message):
    with pytest.raises(SystemExit) as left:
        main(list(words))
    assert left.value.code == 2
    told_ = capsys.readouterr().err
    assert message in told_
    assert told_.count("\n") == 1
