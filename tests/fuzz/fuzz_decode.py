"""A fuzz target over the decoders: whatever the bytes, a picture of the right shape or one clear reason.

`make fuzz` runs it under atheris, which learns from the code that inputs reach; the tests run the same
target over inputs that were changed at random. To look at one input again:

    python tests/fuzz/fuzz_decode.py crash-...
"""

import contextlib
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

try:
    import atheris
except ImportError:  # it has no wheels for every system
    atheris = None

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
_watched = __name__ == "__main__" and atheris is not None
with atheris.instrument_imports(["PIL", "impasto"]) if _watched else contextlib.nullcontext():
    from PIL import Image

    from hostile import samples, whole
    from impasto.data import decode
    from impasto.data.config import DataConfig
    from impasto.data.crop import stored_side
    from impasto.data.reasons import INVISIBLE

    Image.init()  # imports the decoders, which else come one by one, unwatched

LARGEST = 2_000_000  # pixels; the limit itself is tested elsewhere, and large pictures are slow
CONFIGS = (
    DataConfig(size=8),
    DataConfig(size=8, channels=1, crop="pad", background="#804020"),
    DataConfig(size=33, crop="random"),
    DataConfig(size=16, crop="squash", crop_pixels=3),
)


def target(content: bytes) -> None:
    """Nothing, when bytes come to a right end; the configuration follows from the bytes."""
    config = CONFIGS[zlib.crc32(content) % len(CONFIGS)]
    try:
        decoded = decode.develop(content, config)
    except decode.Undecodable as problem:
        said = str(problem)
        assert problem.reason.kind in INVISIBLE, said
        assert problem.reason.detail
        assert said.isprintable(), ascii(said)
        return
    (cut,) = decoded.cuts
    side = stored_side(config)
    assert cut.pixels.shape == (side, side, config.channels), cut.pixels.shape
    assert cut.pixels.dtype == np.uint8, cut.pixels.dtype
    assert 0 < decoded.width * decoded.height <= decode.LARGEST_PICTURE
    left, top, right, bottom = cut.box
    assert 0 <= left < right <= decoded.width, cut.box
    assert 0 <= top < bottom <= decoded.height, cut.box


@contextlib.contextmanager
def small_pictures() -> Iterator[None]:
    """Large pictures are refused earlier meanwhile."""
    before = decode.LARGEST_PICTURE, decode.LARGEST_COPIED, Image.MAX_IMAGE_PIXELS
    decode.LARGEST_PICTURE = decode.LARGEST_COPIED = Image.MAX_IMAGE_PIXELS = LARGEST
    try:
        yield
    finally:
        decode.LARGEST_PICTURE, decode.LARGEST_COPIED, Image.MAX_IMAGE_PIXELS = before


def seeds() -> dict[str, bytes]:
    """Whole pictures of each kind, and odd ones, to begin from."""
    odd = {sample.name: sample.data for _, sample in samples(0, "odd")}
    small = {name: data for name, data in odd.items() if len(data) < 2000}
    return whole(np.random.default_rng(0)) | dict(list(small.items())[::5])


def mutated(rng: np.random.Generator, seeds: list[bytes], count: int) -> Iterator[bytes]:
    """Inputs made of whole pictures: bytes changed, cut out, doubled, and two spliced together."""
    for _ in range(count):
        content = bytearray(seeds[int(rng.integers(len(seeds)))])
        for _ in range(int(rng.integers(1, 6))):
            first, last = sorted(int(at) for at in rng.integers(0, len(content) + 1, 2))
            match int(rng.integers(0, 6)):
                case 0:
                    content[first:last] = b""
                case 1:
                    content[first:first] = content[first:last][:200]
                case 2:
                    content[first : first + 4] = rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
                case 3:
                    other = seeds[int(rng.integers(len(seeds)))]
                    content[first:] = other[first:]
                case _:
                    if content:
                        content[int(rng.integers(len(content)))] = int(rng.integers(0, 256))
        yield bytes(content)


def main() -> None:
    """Runs libFuzzer with the arguments given, from the seeds; files among them are only looked at."""
    with tempfile.TemporaryDirectory() as folder, small_pictures():
        for name, data in seeds().items():
            (Path(folder) / name).write_bytes(data)
        limits = ["-rss_limit_mb=2048", "-timeout=20", "-max_len=20000", "-print_final_stats=1"]
        begin = [] if any(Path(argument).is_file() for argument in sys.argv[1:]) else [folder]
        atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], *begin], target)
        atheris.Fuzz()


if __name__ == "__main__":
    if atheris is None:
        sys.exit("atheris is not installed; it has wheels for Linux on x86-64 only")
    main()
