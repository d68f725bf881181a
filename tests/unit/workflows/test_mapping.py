"""Maps of pictures."""

import json
import re

import pytest
from small import KITTENS as SOURCE

from impasto.errors import BadInput
from impasto.workflows.mapping import map_pictures


def facts_in(path):
    told = re.search(r'id="facts">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    return json.loads(told[1])


def test_every_picture_is_on_the_map_once_with_its_name_and_cluster(coder, tmp_path):
    found = map_pictures(
        SOURCE,
        tmp_path / "map.html",
        model=coder,
        method="kmeans",
        clusters=4,
        projection="pca",
        sheets=tmp_path / "sheets",
    )
    facts = facts_in(found.path)
    assert found.pictures == len(facts["names"]) == len(facts["x"]) == len(facts["cluster"]) == 80
    assert sorted(found.clusters, reverse=True) == list(found.clusters)
    assert sum(found.clusters) == 80
    assert [facts["cluster"].count(label) for label in range(4)] == list(found.clusters)
    assert min(facts["x"]) >= 0
    assert max(facts["x"] + facts["y"]) <= 65_535
    assert len(found.sheets) == 4
    assert all(sheet.exists() for sheet in found.sheets)


def test_the_page_loads_nothing_and_runs_its_own_script_only(coder, tmp_path):
    found = map_pictures(SOURCE, tmp_path / "map.html", model=coder, projection="pca")
    page = found.path.read_text("utf-8")
    assert "script-src 'sha256-" in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_what_makes_no_map_is_told(coder, tmp_path):
    with pytest.raises(BadInput, match=r"name a \.html file"):
        map_pictures(SOURCE, tmp_path / "map.png", model=coder)
    with pytest.raises(BadInput, match="two or more"):
        map_pictures(SOURCE, tmp_path / "map.html", model=coder, clusters=3)
    with pytest.raises(BadInput, match="make no map"):
        map_pictures("kittens:3", tmp_path / "map.html", model=coder)
