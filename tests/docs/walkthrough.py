"""Does what pages say, each in its own folder; run by test_docs.py in a process of its own.

Standard input: JSON, for each page a `folder` and `steps`, each {"words": [...], "to": file or null} or
{"python": source}. Standard output: JSON, for each page what its steps printed, and the error at which
it could not be followed further.
"""

import contextlib
import io
import json
import os
import sys
import traceback
from pathlib import Path


def follow(page: dict) -> list[dict]:
    os.chdir(page["folder"])
    results = []
    for step in page["steps"]:
        told, error = io.StringIO(), None
        try:
            with contextlib.redirect_stdout(told):
                run(step)
        except Exception:  # noqa: BLE001 - handed over to the test, which fails with it
            error = traceback.format_exc()[-3000:]
        if step.get("to"):
            Path(step["to"]).write_text(told.getvalue(), encoding="utf-8")
            told = io.StringIO()
        results.append({"output": told.getvalue(), "error": error})
    return results


def run(step: dict) -> None:
    if "python" in step:
        exec(compile(step["python"], "page", "exec"), {"__name__": "__main__"})
        return
    from impasto.cli.main import main

    try:
        main(step["words"])
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"exit code {ended.code}") from None


if __name__ == "__main__":
    pages = json.load(sys.stdin)
    results = {name: follow(page) for name, page in pages.items()}
    sys.stdout.write(json.dumps(results))
