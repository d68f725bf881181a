"""Zip and tar archives that try to write elsewhere, to grow without end, or to be two things at once."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hostile.bombs import packed_zeros
from hostile.expectation import ANY, KEPT, ends
from hostile.formats import noise
from hostile.pictures import encoded, picture

_KEPT, _UNREAD = ends(KEPT), ends("cannot be read", "damaged", "too large")
_ANY = ANY | _UNREAD


@dataclass(frozen=True)
class Packed:
    """What must become of an archive: refused as a whole, or of each member, in any order.

    Names are as they are listed: without leading slashes and `./`.
    """

    refused: bool = False
    perhaps: bool = False  # it may be refused, or its members end as told
    members: tuple[tuple[str, frozenset[str]], ...] = field(default=())  # none: any

    def allows(self, listed: list[tuple[str, str]] | None) -> bool:
        """Whether names and ends are as told; None stands for an archive that was refused."""
        if listed is None:
            return self.refused or self.perhaps
        if self.refused:
            return False
        names = sorted(name for name, _ in listed) == sorted(name for name, _ in self.members)
        allowed = {(name, end) for name, ends_ in self.members for end in ends_}
        return not self.members or (names and set(listed) <= allowed)


def make_archives(folder: Path, seed: int) -> dict[str, Packed]:
    """Fills a new folder with archives, and returns what must become of each, by its name."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, 99])
    content = encoded(picture(rng, "RGB", 12, 9), "PNG")
    made: dict[str, Packed] = {}
    for name, data, what in (*_zips(rng, content), *_tars(rng, content)):
        (folder / name).write_bytes(data)
        made[name] = what
    return made


Made = Iterator[tuple[str, bytes, Packed]]


def _listed(*members: tuple[str, frozenset[str]]) -> Packed:
    return Packed(members=members)


def _zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, data in members:
                archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def _zips(rng: np.random.Generator, content: bytes) -> Made:
    slips = {
        "../up.png": "../up.png",
        "../../../../../../../../tmp/impasto-was-here.png": "../../../../../../../../tmp/impasto-was-here.png",
        "/absolute.png": "absolute.png",
        "//server/share.png": "server/share.png",
        "..\\back.png": "../back.png",
        "C:\\drive.png": "C:/drive.png",
        "a/../../b.png": "a/../../b.png",
        "./dot.png": "dot.png",
        "new\nline.png": "new\nline.png",
        "\x1b[31mred.png": "\x1b[31mred.png",
        "\u202egnp.png": "\u202egnp.png",
        "日本.png": "日本.png",
        "n" * 5000 + ".png": "n" * 5000 + ".png",
        "/".join("d" * 200) + ".png": "/".join("d" * 200) + ".png",
    }
    members = [(name, content) for name in slips]
    yield "slips.zip", _zip(members), _listed(*((name, _KEPT) for name in slips.values()))
    three = [("same.png", content), ("same.png", b"words"), ("same.png", content)]
    twice = (("same.png", _KEPT), ("same.png", ends("not a picture")), ("same.png", _KEPT))
    yield "twice.zip", _zip(three), _listed(*twice)
    good = _zip([("a.png", content), ("b.png", content)])
    both = (("a.png", _KEPT), ("b.png", _KEPT))
    local, central = good.index(b"b.png") - 30, good.rindex(b"b.png") - 46
    a_kept = (("a.png", _KEPT), ("b.png", _UNREAD))
    yield (
        "encrypted.zip",
        _patched(good, (local + 6, b"\1"), (central + 8, b"\1")),
        _listed(*a_kept),
    )
    crc = b"\0\1\2\3"
    yield (
        "wrong checksum.zip",
        _patched(good, (local + 14, crc), (central + 16, crc)),
        _listed(*a_kept),
    )
    yield "another name inside.zip", _patched(good, (local + 30, b"c")), _listed(*a_kept)
    for method in (1, 6, 9, 12, 14, 93, 95, 96, 97, 98, 99):
        number = struct.pack("<H", method)
        patched = _patched(good, (local + 8, number), (central + 10, number))
        yield f"method {method}.zip", patched, _listed(*a_kept)
    for size in (0, 1, 10, 1 << 20, 0xFFFFFFFE):
        lie = struct.pack("<I", size)
        patched = _patched(good, (local + 22, lie), (central + 24, lie))
        yield f"size told {size}.zip", patched, _listed(("a.png", _KEPT), ("b.png", _ANY))
        patched = _patched(good, (local + 18, lie), (central + 20, lie))
        yield f"packed size told {size}.zip", patched, _listed(("a.png", _KEPT), ("b.png", _ANY))
    far = _patched(good, (central + 42, b"\xf0\xff\xff\x7f"))
    yield "far away.zip", far, Packed(perhaps=True, members=a_kept)
    same = _patched(good, (central + 42, b"\0\0\0\0"))
    yield "overlapping.zip", same, Packed(perhaps=True, members=a_kept)
    data = _patched(good, (local + 40, bytes(20)))
    yield "zeros inside.zip", data, _listed(*a_kept)
    yield "cut.zip", good[: len(good) // 2], Packed(refused=True)
    yield "cut in the directory.zip", good[: good.rindex(b"b.png")], Packed(refused=True)
    yield "no directory.zip", good[:central], Packed(refused=True)
    yield "torn directory.zip", good[: central + 10] + good[central + 40 :], Packed(refused=True)
    yield "behind a program.zip", b"MZ" + noise(rng, 5000) + good, _listed(*both)
    comment = good[:-2] + struct.pack("<H", 60000) + b"x" * 60000
    yield "long comment.zip", comment, _listed(*both)
    yield "two archives.zip", good + _zip([("c.png", content)]), _listed(("c.png", _KEPT))
    yield "empty.zip", _zip([]), Packed(refused=True)
    yield "nothing.zip", b"", Packed(refused=True)
    yield "noise.zip", noise(rng, 3000), Packed(refused=True)
    yield "a picture.zip", content, Packed(refused=True)
    yield "really a tar.zip", _tar([("a.png", content)]), Packed(refused=True)
    count = struct.pack("<HH", 65535, 65535)
    yield (
        "count of 65535.zip",
        _patched(good, (len(good) - 14, count)),
        Packed(perhaps=True, members=both),
    )
    for value in (0, 1, 0xFFFFFFFF, 0x7FFFFFFF):
        word = struct.pack("<I", value)
        patched = _patched(good, (len(good) - 10, word))
        yield f"directory of {value}.zip", patched, Packed(perhaps=True, members=both)
        patched = _patched(good, (len(good) - 6, word))
        lost = tuple((name, _ANY) for name, _ in both)
        yield f"directory at {value}.zip", patched, Packed(perhaps=True, members=lost)
    wide = io.BytesIO()
    with (
        zipfile.ZipFile(wide, "w") as archive,
        archive.open("a.png", "w", force_zip64=True) as member,
    ):
        member.write(content)
    yield "zip64.zip", wide.getvalue(), _listed(("a.png", _KEPT))
    extra = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    told = _with_extra(content, extra)
    yield "zip64 of exabytes.zip", told, Packed(perhaps=True, members=(("a.png", _UNREAD),))
    yield (
        "zip64 cut.zip",
        _with_extra(content, extra[:9]),
        Packed(perhaps=True, members=(("a.png", _ANY),)),
    )
    nested = good
    for _ in range(5):
        nested = _zip([("inner.zip", nested), ("inner.jpg", nested), ("a.png", content)])
    no_picture = ends("not a picture")
    inner = (("inner.zip", no_picture), ("inner.jpg", no_picture), ("a.png", _KEPT))
    yield "nested.zip", nested, _listed(*inner)
    zeros = {"40 megabytes.png": 40 << 20, "600 megabytes.png": 600 << 20}
    bomb = _deflated(list(zeros.items()))
    large = (("40 megabytes.png", no_picture), ("600 megabytes.png", _UNREAD))
    yield "bomb.zip", bomb, _listed(*large)
    lying = _deflated([("lying.png", 40 << 20)], told=100)
    yield "lying bomb.zip", lying, _listed(("lying.png", _ANY))
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "../../../etc/passwd")
        archive.writestr("folder/", b"")
        archive.writestr("folder/empty.png", b"")
        archive.writestr("__MACOSX/._a.png", b"")
        archive.writestr(".hidden.png", content)
        archive.writestr("a.png", content)
    told_of = (("link.png", no_picture), ("folder/empty.png", no_picture), ("a.png", _KEPT))
    yield "links and folders.zip", buffer.getvalue(), _listed(*told_of)
    for method, name in (
        (zipfile.ZIP_STORED, "stored"),
        (zipfile.ZIP_BZIP2, "bzip2"),
        (zipfile.ZIP_LZMA, "lzma"),
    ):
        packed = _zip([("a.png", content), ("b.png", content)], method)
        yield f"{name}.zip", packed, _listed(*both)
        at = packed.rindex(b"PK\x03\x04") + 45
        torn = packed[:at] + noise(rng, 12) + packed[at + 12 :]
        yield f"{name}, torn.zip", torn, _listed(("a.png", _KEPT), ("b.png", _ANY))
    for number in range(12):
        flipped = bytearray(good)
        for place in rng.integers(0, len(good), 4):
            flipped[place] ^= 1 << int(rng.integers(0, 8))
        yield f"flipped {number}.zip", bytes(flipped), Packed(perhaps=True)


def _patched(data: bytes, *places: tuple[int, bytes]) -> bytes:
    patched = bytearray(data)
    for at, fields in places:
        patched[at : at + len(fields)] = fields
    return bytes(patched)


def _record(
    name: bytes, data: bytes, size: int, checksum: int, extra: bytes = b""
) -> tuple[bytes, bytes]:
    """The local and the central record of a deflated member; the place is put in by the caller."""
    told = (0xFFFFFFFF, 0xFFFFFFFF) if extra else (len(data), size)
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, checksum, *told, len(name), len(extra))
    local = b"PK\3\4" + common + name + extra + data
    return local, b"PK\1\2\x14\0" + common + struct.pack("<HHHI", 0, 0, 0, 0) + b"%s" + name + extra


def _joined(records: list[tuple[bytes, bytes]]) -> bytes:
    body, directory = b"", b""
    for local, central in records:
        head, _, tail = central.partition(b"%s")
        directory += head + struct.pack("<I", len(body)) + tail
        body += local
    count = len(records)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def _deflated(members: list[tuple[str, int]], told: int | None = None) -> bytes:
    """A zip of members that are all zeros; `told` is the size that it speaks of."""
    records = []
    for name, size in members:
        checksum = 0
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            checksum = zlib.crc32(block, checksum)
        data = packed_zeros(size)[2:-4]
        records.append(_record(name.encode(), data, size if told is None else told, checksum))
    return _joined(records)


def _with_extra(content: bytes, extra: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(content) + packer.flush()
    return _joined([_record(b"a.png", data, len(content), zlib.crc32(content), extra)])


def _tar(members: list[tuple[str, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in members:
            _add(archive, name, data)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes = b"", **facts: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for fact, value in facts.items():
        setattr(info, fact, value)
    archive.addfile(info, io.BytesIO(data) if data else None)


def _header(name: str, size: bytes, kind: bytes = b"0", more: bytes = b"") -> bytes:
    """A header block with any bytes for a size, its checksum right."""
    head = name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.rjust(12, b"\0")
    head += b"00000000000\0" + b" " * 8 + kind
    head = (head.ljust(257, b"\0") + b"ustar  \0").ljust(345, b"\0") + more
    head = head.ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def _block(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def _paxed(records: bytes, content: bytes, *, kind: bytes = b"x") -> bytes:
    """A tar of one picture behind a pax header of these bytes."""
    header = _header("pax", b"%011o\0" % len(records), kind) + _block(records)
    return header + _header("a.png", b"%011o\0" % len(content)) + _block(content) + bytes(1024)


def _tars(rng: np.random.Generator, content: bytes) -> Made:
    slips = {
        "../up.png": "../up.png",
        "/absolute.png": "absolute.png",
        "../../../../tmp/impasto-was-here.png": "../../../../tmp/impasto-was-here.png",
        "./dot.png": "dot.png",
        "a/../../b.png": "a/../../b.png",
        "new\nline.png": "new\nline.png",
        "\udcff.png": "\udcff.png",
        "n" * 3000 + ".png": "n" * 3000 + ".png",
    }
    expected = _listed(*((name, _KEPT) for name in slips.values()))
    for form, name in ((tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        yield f"slips {name}.tar", _tar([(name, content) for name in slips], form), expected
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add(archive, "a.png", content)
        _add(archive, "outside.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        _add(archive, "up.png", type=tarfile.SYMTYPE, linkname="../../../x")
        _add(archive, "loop.png", type=tarfile.SYMTYPE, linkname="loop.png")
        _add(archive, "hard.png", type=tarfile.LNKTYPE, linkname="a.png")
        _add(archive, "hard to nothing.png", type=tarfile.LNKTYPE, linkname="nothing")
        _add(archive, "device.png", type=tarfile.CHRTYPE, devmajor=1, devminor=5)
        _add(archive, "disk.png", type=tarfile.BLKTYPE, devmajor=8)
        _add(archive, "pipe.png", type=tarfile.FIFOTYPE)
        _add(archive, "unknown.png", content, type=b"Z")
        _add(archive, "folder", type=tarfile.DIRTYPE)
        _add(archive, "set-user-id.png", content, mode=0o6777, uid=0)
    links = ("outside", "up", "loop", "hard", "hard to nothing", "device", "disk", "pipe")
    all_of_it = [("a.png", _KEPT), *((f"{name}.png", _UNREAD) for name in links)]
    all_of_it += [("unknown.png", _KEPT | _UNREAD), ("set-user-id.png", _KEPT)]
    plain = buffer.getvalue()
    pack: dict[str, Callable[[bytes], bytes]] = {
        "tar": bytes,
        "tar.gz": lambda data: gzip.compress(data, mtime=0),
        "tar.bz2": bz2.compress,
        "tar.xz": lzma.compress,
    }
    for extension, packed in pack.items():
        yield f"links.{extension}", packed(plain), _listed(*all_of_it)
        small = _tar([("a.png", content), ("b.png", content)])
        yield (
            f"cut.{extension}",
            packed(small)[: 900 if extension == "tar" else 300],
            Packed(refused=True),
        )
        yield f"noise.{extension}", noise(rng, 3000), Packed(refused=True)
        yield f"nothing.{extension}", b"", Packed(refused=True)
        yield f"zeros.{extension}", packed(bytes(20480)), Packed(refused=True)
    yield "called otherwise.tar.gz", _tar([("a.png", content)]), _listed(("a.png", _KEPT))
    yield (
        "twice packed.tar.gz",
        gzip.compress(gzip.compress(plain, mtime=0), mtime=0),
        Packed(refused=True),
    )
    yield (
        "no end.tar",
        _tar([("a.png", content)])[: 512 + len(_block(content))],
        _listed(("a.png", _KEPT)),
    )
    yield "cut in a member.tar", plain[:700], Packed(refused=True)
    bad = bytearray(_tar([("a.png", content), ("b.png", content)]))
    bad[512 + len(_block(content)) + 148] ^= 1
    yield "wrong checksum.tar", bytes(bad), Packed(perhaps=True, members=(("a.png", _KEPT),))
    a = _header("a.png", b"%011o\0" % len(content)) + _block(content)
    for name, size in {
        "negative": b"\xff" * 12,
        "negative block": b"\xff" * 10 + b"\xfe\x00",
        "negative by two": b"\xff" * 10 + b"\xfc\x00",
        "exabytes": b"\x80" + b"\0" * 3 + b"\x10" + b"\0" * 7,
        "minus one": b"-0000000001\0",
    }.items():
        yield (
            f"size {name}.tar",
            a + _header("b.png", size) + bytes(2048),
            Packed(perhaps=True, members=(("a.png", _KEPT), ("b.png", _ANY))),
        )
    words = a + _header("b.png", b"twelve bytes") + bytes(2048)
    yield "size words.tar", words, Packed(perhaps=True)
    for name, kind in {
        "long name": b"L",
        "long link": b"K",
        "pax": b"x",
        "global": b"g",
        "sparse": b"S",
    }.items():
        for size in (b"77777777777\0", b"\xff" * 12, b"00000000000\0"):
            data = a + _header("b.png", size, kind) + bytes(2048)
            yield (
                f"{name} {size[:2].hex()}.tar",
                data,
                Packed(perhaps=True, members=(("a.png", _KEPT), ("b.png", _ANY))),
            )
    one = (("a.png", _KEPT),)
    odd = {
        "plain": b"30 mtime=1350244992.023960108\n",
        "charset": b"25 hdrcharset=BINARY\n",
        "length zero": b"0 path=x\n",
        "length short": b"3 path=x.png\n",
        "length huge": b"999999999 path=x.png\n",
        "length negative": b"-9 path=x.png\n",
        "no newline": b"15 path=b.png",
        "no equals": b"11 path b.p\n",
        "not utf-8": b"14 path=\xff\xfe.p\n",
        "null": b"12 path=\0.p\n",
        "time nan": b"13 mtime=nan\n",
        "time huge": b"15 mtime=1e400\n",
        "size huge": b"27 size=99999999999999999\n",
        "size negative": b"13 size=-512\n",
        "size words": b"13 size=many\n",
        "sparse": b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n",
        "sparse map": b"28 GNU.sparse.map=0,9,a,-1\n",
        "empty path": b"8 path=\n",
        "noise": noise(rng, 300),
        "nothing": b"",
    }
    for name, records in odd.items():
        may_be = Packed(perhaps=True)
        yield f"pax {name}.tar", _paxed(records, content), may_be
        yield f"pax global {name}.tar", _paxed(records, content, kind=b"g"), may_be
    map_of = b"%011o\0%011o\0" % (0, len(content)) + b"%011o\0%011o\0" % (5 << 30, 0)
    sparse = bytearray(_header("sparse.png", b"%011o\0" % len(content), b"S"))
    sparse[386 : 386 + len(map_of)] = map_of
    sparse[483:495] = b"%011o\0" % (5 << 30)
    sparse[148:156] = b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse)
    yield (
        "sparse.tar",
        bytes(sparse) + _block(content) + a + bytes(1024),
        _listed(("sparse.png", _UNREAD), *one),
    )
    zeros = _header("zeros.png", b"%011o\0" % (64 << 20)) + bytes(64 << 20) + bytes(1024)
    yield (
        "bomb.tar.gz",
        gzip.compress(zeros, 1, mtime=0),
        _listed(("zeros.png", ends("not a picture"))),
    )
    many = _tar([(f"{number}.png", b"") for number in range(3000)])
    empty = tuple((f"{number}.png", ends("not a picture")) for number in range(3000))
    yield "many.tar.gz", gzip.compress(many, mtime=0), _listed(*empty)
