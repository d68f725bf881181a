"""Which files may be pictures, by their names alone."""

PICTURES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".jp2", ".j2k"),
)
VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg")
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_SIDE_FILES = frozenset(
    f".{kind}"
    for kind in (
        *("txt", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "ini", "cfg"),
        *("md", "rst", "html", "htm", "css", "js", "py", "sh", "ipynb", "log", "lock", "url"),
        *("db", "sqlite", "npy", "npz", "pt", "pth", "ckpt", "pkl", "safetensors", "mat"),
        *("parquet", "arrow", "cls", "caption", "index"),
    )
)
_SIDE_NAMES = frozenset(
    {"readme", "license", "licence", "copying", "notice", "thumbs.db", "desktop.ini"}
)


def is_candidate(name: str) -> bool:
    """Whether a name may be a picture's: not hidden, and not one of the usual side files."""
    parts = name.split("/")
    if any(part == "__MACOSX" or (part[:1] == "." and part != "..") for part in parts):
        return False
    last = parts[-1].lower()
    extension = last[last.rfind(".") :] if "." in last else ""
    return last not in {"", *_SIDE_NAMES} and extension not in _SIDE_FILES
