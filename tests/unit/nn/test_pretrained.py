import dataclasses
import hashlib
import http.server
import os
import threading

import pytest

from impasto.errors import ConfigError, DamagedFile, WeightsError
from impasto.nn import pretrained
from impasto.nn.pretrained import PRETRAINED, Pretrained, fetch, find, require

RAW = bytes(range(256)) * 300
SHA256 = hashlib.sha256(RAW).hexdigest()


@pytest.fixture(autouse=True)
def weights(monkeypatch, tmp_path):
    """Small published weights, and a cache of their own."""
    known = Pretrained("small", "small.pth", "http://127.0.0.1:9/no", SHA256, len(RAW), "none")
    monkeypatch.setitem(PRETRAINED, "small", known)
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return known


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "cache" / "weights" / "small.pth"


class Publisher(http.server.BaseHTTPRequestHandler):
    """Serves what a path says: the right bytes, wrong ones, too few, too many, or none."""

    asked: list[str]

    def do_GET(self):
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        if kind == "none":
            self.send_error(404)
            return
        body = {"right": RAW, "wrong": RAW[::-1], "cut": RAW[:-9], "long": RAW * 50}.get(kind, RAW)
        self.send_response(200)
        self.send_header("Content-Length", str(len(RAW) if kind == "cut" else len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            assert kind == "long"

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield server
        server.shutdown()


def put(path, raw=RAW):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


# Finding ----------------------------------------------------------------------------------------


def test_the_published_file_is_the_one_written_down(shared, monkeypatch):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
    path = find("mobilenet-v2")
    assert path == shared / "weights" / "mobilenet_v2-b0353104.pth"
    assert path.stat().st_size == PRETRAINED["mobilenet-v2"].size


def test_nothing_is_found_where_nothing_is():
    assert find("small") is None


def test_named_folders_come_before_the_cache(tmp_path, monkeypatch, cached):
    put(cached)
    assert find("small") == require("small") == cached
    other = put(tmp_path / "b" / "small.pth")
    monkeypatch.setenv("IMPASTO_WEIGHTS", os.pathsep.join([str(tmp_path / "a"), str(other.parent)]))
    assert find("small") == other


def test_the_same_bytes_under_another_name_are_found(tmp_path, monkeypatch, cached, weights):
    also = dataclasses.replace(weights, aliases=("petite.pth",))
    monkeypatch.setitem(PRETRAINED, "small", also)
    other = put(cached.with_name("petite.pth"))
    assert find("small") == require("small") == fetch("small") == other
    put(cached)
    assert find("small") == cached
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path / "a"))
    first = put(tmp_path / "a" / "petite.pth")
    assert find("small") == first, "folders count before names"
    put(first, RAW[::-1])
    with pytest.raises(DamagedFile, match=r"petite\.pth has sha256"):
        find("small")


def test_what_is_missing_is_told_with_the_way_out(tmp_path, monkeypatch, weights):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path / "elsewhere"))
    with pytest.raises(WeightsError) as caught:
        require("small")
    told = str(caught.value)
    for part in ("small.pth", weights.url, SHA256, "IMPASTO_WEIGHTS", str(tmp_path / "cache")):
        assert part in told
    assert f"{tmp_path / 'elsewhere'} (no such folder)" in told
    assert "download it with `impasto weights small`" in told
    assert "\n" not in told


@pytest.mark.parametrize("raw", [RAW[:-1], b"", RAW[:-1] + b"\0"], ids=["cut", "empty", "changed"])
@pytest.mark.parametrize("ask", [find, require, fetch])
def test_a_file_that_is_not_the_published_one_is_an_error(cached, raw, ask):
    put(cached, raw)
    with pytest.raises(DamagedFile) as caught:
        ask("small")
    for part in (str(cached), SHA256, hashlib.sha256(raw).hexdigest(), "delete it"):
        assert part in str(caught.value)
    assert cached.read_bytes() == raw


def test_a_file_is_hashed_once_and_again_when_it_changes(cached, monkeypatch):
    reads = []
    original = hashlib.file_digest
    monkeypatch.setattr(
        pretrained.hashlib, "file_digest", lambda *given: reads.append(1) or original(*given)
    )
    put(cached)
    assert find("small") == find("small") == cached
    assert len(reads) == 1
    put(cached, RAW[::-1])
    os.utime(cached, ns=(1, 1))
    with pytest.raises(DamagedFile):
        find("small")
    assert len(reads) == 2


def test_a_file_that_cannot_be_read_is_an_error(cached, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    put(cached)
    monkeypatch.setattr(pretrained.hashlib, "file_digest", refused)
    with pytest.raises(DamagedFile, match=r"small\.pth cannot be read \(Permission denied\)"):
        find("small")


@pytest.mark.parametrize("ask", [find, require, fetch])
def test_unknown_names_are_told_the_known_ones(ask):
    with pytest.raises(ConfigError, match=r"did you mean mobilenet-v2\?"):
        ask("mobilenet-v1")


# Fetching ---------------------------------------------------------------------------------------


def test_fetched_weights_lie_in_the_cache(server, cached, monkeypatch, weights):
    assert fetch("small", base=f"{server.url}/right/") == cached
    assert cached.read_bytes() == RAW
    assert [path.name for path in cached.parent.iterdir()] == ["small.pth"]
    assert server.asked == ["/right/small.pth"]
    assert find("small") == cached
    (cached.parent / "plain").touch()
    assert cached.stat().st_mode == (cached.parent / "plain").stat().st_mode


def test_weights_that_are_here_are_not_fetched(server, tmp_path, cached, monkeypatch):
    own = put(tmp_path / "own" / "small.pth")
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(own.parent))
    assert fetch("small", base=f"{server.url}/right") == own
    assert server.asked == []
    assert not cached.exists()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("wrong", "what came has sha256 " + hashlib.sha256(RAW[::-1]).hexdigest()),
        ("cut", "what came|IncompleteRead"),
        ("long", "what came has sha256"),
        ("none", "HTTP Error 404"),
    ],
)
def test_a_failed_download_leaves_nothing(server, cached, kind, told):
    with pytest.raises(WeightsError, match=told) as caught:
        fetch("small", base=f"{server.url}/{kind}")
    assert f"{server.url}/{kind}/small.pth" in str(caught.value)
    assert str(cached.parent) in str(caught.value)
    assert list(cached.parent.iterdir()) == []


def test_no_server_is_told(cached, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsError, match="could not be downloaded"):
        fetch("small", base=server.url)
    assert list(cached.parent.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch, server):
    monkeypatch.setenv("IMPASTO_CACHE", str(put(tmp_path / "file")))
    with pytest.raises(WeightsError, match="could not be downloaded to"):
        fetch("small", base=f"{server.url}/right")
    assert server.asked == []


def test_it_tells_how_much_has_come(server, cached, monkeypatch):
    monkeypatch.setattr(pretrained, "BLOCK", 30_000)
    told = []
    fetch("small", base=f"{server.url}/right", report=lambda *given: told.append(given))
    assert told == [(30_000, len(RAW)), (60_000, len(RAW)), (len(RAW), len(RAW))]


@pytest.mark.parametrize("base", ["mirror/weights", "ftp://mirror", "", "/a/folder"])
def test_only_urls_are_downloaded_from(base, cached):
    with pytest.raises(ConfigError, match="not a folder's URL; it begins with https://"):
        fetch("small", base=base)
    assert not cached.parent.exists()


@pytest.mark.parametrize("base", ["http://[", "http://a b/", "https://127.0.0.1:port"])
def test_broken_urls_are_told_as_such(base, cached):
    with pytest.raises(WeightsError, match="could not be downloaded"):
        fetch("small", base=base)
    assert list(cached.parent.iterdir()) == []


def test_a_folder_can_be_a_mirror(tmp_path, cached):
    put(tmp_path / "mirror" / "small.pth")
    assert fetch("small", base=(tmp_path / "mirror").as_uri()) == cached
