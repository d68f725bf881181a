import json

from impasto.data.config import DataConfig
from impasto.data.inspect import inspect

PLAIN = DataConfig()


def test_counts_sizes_classes_broken_and_duplicates(folder, picture, encoded):
    root = folder("cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png")
    (root / "dog/again.png").write_bytes((root / "cat/1.png").read_bytes())
    (root / "dog/half.jpg").write_bytes(encoded(9, "JPEG", width=300, height=200)[:3000])
    (root / "dog/none.jpg").write_bytes(b"")
    picture(7, width=90, height=50).convert("L").save(root / "cat/grey.png")
    told = []
    found = inspect(root, PLAIN, report=lambda done, total: told.append((done, total)))
    assert (found.found, found.pictures) == (8, 6)
    assert found.classes == {"cat": 3, "dog": 3}
    assert found.attributes == {}
    assert found.modes == {"RGB": 5, "L": 1}
    assert [name for name, _ in found.broken] == ["dog/half.jpg", "dog/none.jpg"]
    assert found.broken[1][1] == "empty file"
    assert found.duplicates == (("cat/1.png", "dog/again.png"),)
    assert (found.sizes.width.smallest, found.sizes.width.median, found.sizes.width.largest) == (
        20,
        20.0,
        90,
    )
    assert found.sizes.height.largest == 50
    assert found.sizes.commonest[0] == (20, 16, 5)
    assert told == [(8, 8)]
    assert json.loads(json.dumps(found.to_plain()))["sizes"]["width"]["largest"] == 90


def test_a_source_without_pictures_is_told_not_raised(folder):
    root = folder("1.png")
    (root / "1.png").write_bytes(b"words")
    found = inspect(root, PLAIN)
    assert (found.found, found.pictures, found.sizes) == (1, 0, None)


def test_kittens_count_their_attributes():
    found = inspect("kittens:30", DataConfig(size=16))
    assert found.classes == {}
    assert {
        column: sum(counts.values()) for column, counts in found.attributes.items()
    } == dict.fromkeys(["body", "fur", "eyes", "mouth", "accessory"], 30)
    assert found.sizes.commonest == ((1024, 1024, 30),)


def test_workers_find_the_same(tmp_path, encoded):
    for number in range(300):
        (tmp_path / f"{number}.png").write_bytes(encoded(number % 290) if number != 7 else b"")
    assert inspect(tmp_path, PLAIN, workers=2) == inspect(tmp_path, PLAIN, workers=1)
