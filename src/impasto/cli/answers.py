"""What `--json` prints: one object that any program can read."""

import json
import math
from typing import Any


def json_text(value: Any, indent: int | None = None) -> str:
    """Plain values as JSON text; numbers that JSON does not know, such as infinity, are null."""
    return json.dumps(_known(value), indent=indent, allow_nan=False)


def _known(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: _known(each) for name, each in value.items()}
        case list() | tuple():
            return [_known(each) for each in value]
        case _:
            return value
