"""Pictures to files of codes and back."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("constriction", reason="the compress extra is not installed")

from impasto.cli.answers import json_text
from impasto.cli.main import main
from impasto.data.original import flattened, read_original
from impasto.errors import BadInput
from impasto.workflows.codecs import Rendition, rivals
from impasto.workflows.compressing import compress, decompress
from impasto.workflows.reading import opened


@pytest.fixture
def photo(tmp_path):
    rows, columns = np.mgrid[:37, :53]
    image = np.stack([rows * 6, columns * 4, rows + columns], -1).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_what_comes_back_has_its_size_and_the_likeness_that_was_told(coder, photo, tmp_path):
    (told,) = compress(photo, tmp_path / "photo.imp", model=coder)
    assert told.own.bytes == (tmp_path / "photo.imp").stat().st_size
    (back,) = decompress(tmp_path / "photo.imp", tmp_path / "back.png")
    image, again = (np.asarray(Image.open(path).convert("RGB"), float) for path in (photo, back))
    assert again.shape == image.shape
    error = np.square(image - again).mean()
    assert told.own.psnr == pytest.approx(10 * np.log10(255**2 / error), abs=0.01)
    assert 0 < told.own.ssim < 1


def test_smaller_steps_are_longer(coder, photo, tmp_path):
    sizes = [
        compress(photo, tmp_path / "x.imp", model=coder, step=step, compare=False)[0].own.bytes
        for step in (1.0, 0.3, 0.05)
    ]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


def test_others_take_no_more_bytes(coder, photo, tmp_path):
    (told,) = compress(photo, tmp_path / "x.imp", model=coder, step=0.001)
    for name, rival in told.others.items():
        assert rival.within is None or rival.within.bytes <= told.own.bytes, name
        assert rival.within is not None or rival.smallest > told.own.bytes
        assert rival.as_true is None or rival.as_true >= rival.smallest
        if rival.within is not None and rival.within.psnr >= told.own.psnr:
            assert rival.as_true <= rival.within.bytes
    assert {"jpeg", "webp", "avif"} == set(told.others)


def test_the_smallest_file_that_is_as_true_is_as_true():
    drawn = np.random.default_rng(0)
    image = np.asarray(
        Image.fromarray(drawn.integers(0, 255, (9, 12, 3), np.uint8)).resize((96, 72))
    )
    modest, exact = (
        dict(rivals(image, Rendition(10**6, psnr, 0.5))) for psnr in (25.0, float("inf"))
    )
    for name, rival in modest.items():
        assert rival.smallest <= rival.as_true < rival.within.bytes, name
        assert exact[name].as_true is None


def test_what_cameras_and_scanners_write_is_read_as_it_looks(coder, tmp_path):
    deep = np.full((18, 18), 45_000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    turned = Image.new("RGB", (30, 18), "#204060")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    seen = [
        compress(tmp_path / name, tmp_path / "x.imp", model=coder, compare=False)[0]
        for name in ("deep.png", "turned.jpg")
    ]
    assert (seen[1].width, seen[1].height) == (18, 30)
    assert (flattened(read_original(tmp_path / "deep.png"), 1) == 175).all()


def test_nothing_is_written_over(coder, photo, tmp_path):
    with pytest.raises(BadInput, match=r"is a \.imp file"):
        compress(photo, photo, model=coder)
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("a.png", "a.jpg", "b.png"):
        Image.open(photo).save(folder / name)
    compress(folder, tmp_path / "packed", model=coder, compare=False)
    assert sorted(file.name for file in (tmp_path / "packed").iterdir()) == [
        "a.jpg.imp",
        "a.png.imp",
        "b.imp",
    ]


def test_a_picture_that_comes_back_exactly_is_told_in_json(coder, photo, tmp_path, capsys):
    Image.new("RGB", (16, 16), "white").save(photo)
    words = ["compress", str(photo), "--model", str(coder), "--to", f"{tmp_path}/x.imp", "--json"]
    main(words)
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["pictures"][0]["others"]["webp"] is None or told["pictures"][0]["bytes"]
    assert json_text({"psnr": float("inf"), "rows": [float("nan"), 1.5]}) == (
        '{"psnr": null, "rows": [null, 1.5]}'
    )


def test_a_folder_becomes_a_folder(coder, photo, tmp_path):
    folder = tmp_path / "many"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.jpg"):
        Image.open(photo).save(folder / name)
    told = compress(folder, tmp_path / "packed", model=coder, compare=False)
    assert [each.path.relative_to(tmp_path / "packed").as_posix() for each in told] == [
        "a.imp",
        "sub/b.imp",
    ]
    files = decompress(tmp_path / "packed", tmp_path / "back")
    assert {file.relative_to(tmp_path / "back").as_posix() for file in files} == {
        "a.png",
        "sub/b.png",
    }


def test_another_model_and_damage_are_refused(coder, drawer, photo, tmp_path):
    compress(photo, tmp_path / "x.imp", model=coder, compare=False)
    content = (tmp_path / "x.imp").read_bytes()
    (tmp_path / "y.imp").write_bytes(content[:-1])
    with pytest.raises(BadInput, match="damaged"):
        decompress(tmp_path / "y.imp", tmp_path / "y.png")
    with pytest.raises(BadInput, match="does not read them"):
        compress(photo, tmp_path / "z.imp", model=drawer)
    with pytest.raises(BadInput, match="another model"):
        decompress(tmp_path / "x.imp", tmp_path / "y.png", model=drawer)
    with pytest.raises(BadInput, match="not a picture"):
        compress(tmp_path / "x.imp", tmp_path / "z.imp", model=coder)
    assert not (tmp_path / "y.png").exists()


def test_a_model_that_is_not_remembered_has_to_be_named(coder, photo, tmp_path, monkeypatch):
    compress(photo, tmp_path / "x.imp", model=coder, compare=False)
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "elsewhere"))
    with pytest.raises(BadInput, match="name it with --model"):
        decompress(tmp_path / "x.imp", tmp_path / "y.png")
    assert decompress(tmp_path / "x.imp", tmp_path / "y.png", model=coder)


def test_the_digest_is_of_the_networks_and_not_of_the_file(coder):
    assert opened(coder).digest == opened(coder / "model.safetensors").digest
