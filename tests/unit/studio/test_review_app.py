import io

import numpy as np
import pytest
from PIL import Image
from sets import logged, numbered, write_set
from starlette.testclient import TestClient

from impasto.studio.review.app import create_app
from impasto.workflows.review import Review

PORT, TOKEN = 4321, "a-secret"
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def home(tmp_path):
    measures = {"sharpness": np.arange(100, dtype=np.float32)}
    return write_set(
        tmp_path / "set", numbered(100), kinds={2: "blurred", 5: "damaged"}, measures=measures
    )


@pytest.fixture
def stranger(home):
    with (
        Review.open(home) as review,
        TestClient(create_app(review, port=PORT, token=TOKEN), base_url=HERE) as client,
    ):
        yield client


@pytest.fixture
def client(stranger):
    assert stranger.get("/", params={"token": TOKEN}).status_code == 200
    stranger.headers["origin"] = HERE
    return stranger


# Who may ask ------------------------------------------------------------------------------------

READ = [
    "/", "/review.js", "/review.css", "/set", "/state", "/view?filter=all&sort=source",
    "/page?view=1&start=0&count=1", "/sprite?view=1&start=0&count=1&side=8", "/invisible?start=0&count=9",
    "/nothing",
]  # fmt: skip
CHANGE = ["/decide", "/undo", "/redo", "/seen", "/learn"]


@pytest.mark.parametrize("path", READ)
def test_strangers_see_nothing(stranger, path):
    answer = stranger.get(path)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "impasto printed" in answer.text


@pytest.mark.parametrize("path", CHANGE)
def test_strangers_change_nothing(stranger, home, path):
    answer = stranger.post(path, json={"slots": [0], "keep": False}, headers={"origin": HERE})
    assert answer.status_code == 403
    assert not (home / "review.jsonl").exists()


@pytest.mark.parametrize("token", ["", "a-secre", "a-secret2", "A-SECRET", "ä"])
def test_a_wrong_token_is_refused(stranger, token):
    assert stranger.get("/", params={"token": token}).status_code == 403
    assert not stranger.cookies


def test_the_token_opens_only_the_page_itself(stranger):
    assert stranger.get("/state", params={"token": TOKEN}).status_code == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_page_can_use(stranger):
    answer = stranger.get("/", params={"token": TOKEN})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"impasto-{PORT}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert TOKEN not in cookie
    assert stranger.get("/").status_code == 200
    assert "set-cookie" not in stranger.get("/").headers


def test_a_wrong_cookie_is_refused(stranger):
    stranger.cookies.set(f"impasto-{PORT}", TOKEN)
    assert stranger.get("/state").status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", ""]
)
def test_other_names_for_this_machine_are_refused(client, host):
    assert client.get("/state", headers={"host": host}).status_code == 403
    answer = client.get("/", params={"token": TOKEN}, headers={"host": host})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_localhost_is_this_machine_too(client):
    assert client.get("/state", headers={"host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", CHANGE)
def test_other_pages_change_nothing(client, home, path, origin):
    del client.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    body = {"slots": [0], "keep": False}
    assert client.post(path, json=body, headers=headers).status_code == 403
    assert not (home / "review.jsonl").exists()


@pytest.mark.parametrize("path", CHANGE)
def test_looking_changes_nothing(client, path):
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/", "/review.js", "/state", "/nothing", "/undo"])
def test_every_answer_is_locked_down(client, path):
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_loads_nothing_from_elsewhere(client):
    page = client.get("/").text
    assert "http://" not in page
    assert "https://" not in page
    for name in ("review.css", "review.js", "grid.js", "blocks.js", "server.js"):
        text = client.get(f"/{name}").text
        assert len(text) > 500
        assert "://" not in text


# What is answered -------------------------------------------------------------------------------


def test_a_view_its_pages_and_its_sheets(client):
    view = client.get("/view", params={"filter": "kept", "sort": "sharpness-down"}).json()
    assert view == {"view": 1, "count": 98, "filter": "kept", "sort": "sharpness-down"}
    part = {"view": 1, "start": 96, "count": 64}
    pictures = client.get("/page", params=part).json()
    assert [picture["slot"] for picture in pictures] == [1, 0]
    assert pictures[0]["name"] == "folder/000001.png"
    answer = client.get("/sprite", params=part | {"side": 8})
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (64, 8)


def test_what_the_set_is(client):
    about = client.get("/set").json()
    assert about["name"] == "set"
    assert about["invisible"] == {"damaged": 1}
    assert about["filters"]["blurred"] == "Blurred"
    assert about["sorts"]["sharpness-up"] == "Blurred first"
    listed = client.get("/invisible", params={"start": 0, "count": 5}).json()
    assert listed == [["folder/000005.png", "damaged", "found in 5"]]


def test_deciding_undoing_and_redoing(client, home):
    answer = client.post("/decide", json={"slots": [0, 2, 7], "keep": False}).json()
    assert answer["changed"] == [[0, False], [7, False]]
    assert answer["counts"]["kept"] == 96
    assert answer["counts"]["undoable"] == 1
    assert client.post("/undo").json()["changed"] == [[0, None], [7, None]]
    assert client.post("/redo").json()["changed"] == [[0, False], [7, False]]
    client.post("/decide", json={"slots": [1], "keep": True, "plainly": True})
    assert [line["slots"] for line in logged(home)] == [[0, 7], [0, 7], [0, 7], [1]]
    assert client.get("/state").json()["counts"]["by_hand"] == 3


def test_deciding_on_a_stretch_of_a_view(client):
    client.get("/view", params={"filter": "kept", "sort": "sharpness-down"})
    body = {"view": 1, "start": 95, "end": 500, "keep": False}
    changed = client.post("/decide", json=body).json()["changed"]
    assert changed == [[0, False], [1, False], [3, False]]


def test_what_was_seen_is_counted(client):
    client.get("/view", params={"filter": "kept", "sort": "source"})
    answer = client.post("/seen", json={"view": 1, "start": 0, "end": 40}).json()
    assert answer["counts"]["seen"] == 40


def test_learning_too_early_says_what_is_missing(client):
    answer = client.post("/learn")
    assert answer.status_code == 409
    assert "judge at least 20 of each" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/decide", "{", 400),
        ("/decide", "[]", 400),
        ("/decide", '{"slots": [0]}', 400),
        ("/decide", '{"slots": [0], "keep": 1}', 400),
        ("/decide", '{"slots": "0", "keep": true}', 400),
        ("/decide", '{"slots": [true], "keep": true}', 400),
        ("/decide", '{"slots": [0.5], "keep": true}', 400),
        ("/decide", '{"slots": [-1], "keep": true}', 400),
        ("/decide", '{"slots": [1e99], "keep": true}', 400),
        ("/decide", '{"slots": [100], "keep": true}', 409),
        ("/decide", '{"slots": [5], "keep": true}', 409),
        ("/decide", '{"view": 99, "start": 0, "end": 1, "keep": true}', 410),
        ("/decide", '{"view": 1, "start": 0, "keep": true}', 400),
        ("/seen", '{"view": 1, "start": "0", "end": 1}', 400),
        ("/seen", '{"view": null, "start": 0, "end": 1}', 410),
    ],
)
def test_nonsense_is_refused_in_words(client, home, path, body, status):
    answer = client.post(path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not (home / "review.jsonl").exists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/page?view=1&start=0", 400),
        ("/page?view=1&start=-1&count=1", 400),
        ("/page?view=1&start=0&count=0", 400),
        ("/page?view=1&start=0&count=99999999999999999", 400),
        ("/page?view=9&start=0&count=1", 410),
        ("/sprite?view=1&start=0&count=1&side=0", 400),
        ("/sprite?view=1&start=98&count=1&side=8", 404),
        ("/view?filter=none&sort=source", 409),
        ("/view", 409),
        ("/nothing", 404),
    ],
)
def test_nonsense_is_refused_when_looking(client, path, status):
    client.get("/view", params={"filter": "kept", "sort": "source"})
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_what_cannot_be_written_is_said(client, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = client.post("/decide", json={"slots": [0], "keep": False})
    assert answer.status_code == 507
    assert answer.json()["error"] == "cannot be written: No space left on device"
    assert client.get("/state").json()["counts"]["by_hand"] == 0
