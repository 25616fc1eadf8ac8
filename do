#!/bin/sh
# The contributor's and learner's menu. `./do lab` and `./do test` are all a newcomer needs.
#   ./do lab           JupyterLab on the tour (the lab's own KUBECONFIG, never yours)
#   ./do test          lint, types, import contracts, tests       (up to 5 minutes on 2 cores)
#   ./do test --all    the same with browser, notebooks, all histories (up to 60 minutes)
#   ./do lint | types | bench | book | fidelity | pictures        single parts
#   ./do doctor        what is installed, what is missing, how to get it
#   ./do <command> …   any other command of the environment, such as ./do gitops-sim run --help
set -eu
cd "$(dirname "$0")"
say() { printf '%s\n' "do: $*" >&2; }

if [ -d .venv/Scripts ]; then bin=.venv/Scripts; else bin=.venv/bin; fi
stamp=.venv/.stamp
sum=$(cat requirements.lock pyproject.toml | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]; then
  if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then uv=uv; else
    py=$(command -v python3 || command -v python || true)
    [ -n "$py" ] && "$py" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
      say "needs either uv (docs.astral.sh/uv) or Python >= 3.11 with venv (Debian: apt install python3-venv)"; exit 2; }
    [ -d .venv ] || "$py" -m venv .venv
    "$bin/python" -m pip install -q 'uv>=0.8' && uv=$bin/uv
  fi
  [ -x "$bin/python" ] || "$uv" venv -q --python '>=3.11' .venv
  say "installing the pinned packages (once)"
  "$uv" pip install -q --python "$bin/python" --require-hashes -r requirements.lock
  "$uv" pip install -q --python "$bin/python" --no-deps --no-build-isolation -e .
  printf '%s' "$sum" > "$stamp"
fi
PATH="$PWD/$bin:$PATH"; export PATH
word=${1:-help}; [ $# -gt 0 ] && shift
case $word in
  lab) exec gitops-sim tour "$@" ;;
  test) exec python tools/check.py "$@" ;;
  lint) ruff check . && ruff format --check . && lint-imports --no-cache && exec codespell ;;
  types) exec mypy ;;
  bench) exec python benchmarks/run.py "$@" ;;
  book) exec python tools/build_notebooks.py "$@" ;;
  pictures) exec python tools/draw_pictures.py "$@" ;;
  fidelity) exec python tools/build_fidelity.py "$@" ;;
  doctor) exec gitops-sim doctor "$@" ;;
  help|-h|--help) sed -n '2,9s/^# \{0,1\}//p' do ;;
  *) command -v "$word" >/dev/null || {
       say "there is no command '$word': ./do help shows the menu, ./do gitops-sim --help what the lab can do"; exit 2; }
     exec "$word" "$@" ;;
esac
