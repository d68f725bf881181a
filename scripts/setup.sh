#!/usr/bin/env bash
# Makes .venv and installs impasto in it, editable. Usage: scripts/setup.sh [--dev]
#
# PyPI's default torch for Linux brings gigabytes of CUDA. Where a CPU wheel of torch lies in a folder
# named by PIP_FIND_LINKS, exactly that build is asked for; elsewhere pip chooses as usual.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || { echo "setup: Python 3.11 or newer is needed; set PYTHON to it" >&2; exit 2; }

[ -x .venv/bin/python ] || "$python" -m venv .venv
constraints=.venv/constraints.txt
: >"$constraints"
for folder in ${PIP_FIND_LINKS:-}; do
  for wheel in "$folder"/torch-*+cpu-*.whl; do
    [ -e "$wheel" ] || continue
    version=${wheel##*/torch-}
    echo "torch==${version%%-*}" >"$constraints"
  done
done

pip=(.venv/bin/python -m pip --disable-pip-version-check)
"${pip[@]}" install --quiet --upgrade 'pip>=25.1'
if [ "${1:-}" = --dev ]; then
  "${pip[@]}" install --quiet --constraint "$constraints" --group dev --editable '.[video]'
else
  "${pip[@]}" install --quiet --constraint "$constraints" --editable .
fi
