#!/bin/sh
# Run every test in the environment $1, then the unit and contract tests on Python 3.10 and on the
# newest Python here, each in an environment of its own. Fails when any of these fails.
set -u
venv=$1
status=0
report=""

minor() {
    "$1" -c 'import sys; print(sys.version_info.minor)'
}

# Print the Python 3.$1 of this machine that can make environments, or nothing. A name on PATH may
# be a shim that leads nowhere, so each is tried.
find_python() {
    for python in "$(command -v "python3.$1")" "$HOME/.pyenv/versions/3.$1."*/bin/"python3.$1"; do
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

# Run pytest on Python 3.$1 in the environment $2 with the other arguments.
run_tests() {
    version=3.$1
    environment=$2
    shift 2
    echo "== Python $version: pytest $*"
    if "$environment/bin/python" -m pytest "$@"; then
        report="$report
Python $version passed: $*"
    else
        status=1
        report="$report
Python $version FAILED: $*"
    fi
}

run_quick_tests() {
    environment=.venv-3.$1
    if make --no-print-directory "VENV=$environment" "PYTHON=$2" "$environment/.dev"; then
        # shellcheck disable=SC2086
        run_tests "$1" "$environment" $share tests/unit tests/contract
    else
        status=1
        report="$report
Python 3.$1 FAILED: its environment could not be made"
    fi
}

# A file stays in one process, as its tests may share what is costly to make.
share="--numprocesses=auto --dist=loadfile"

here=$(minor "$venv/bin/python") || exit 1
# shellcheck disable=SC2086 # these are two words
run_tests "$here" "$venv" $share -m "not alone and not soak"
run_tests "$here" "$venv" -m "alone and not soak"

newest=""
for candidate in 14 13 12 11; do
    python=$(find_python "$candidate")
    if [ -n "$python" ]; then
        newest=$candidate
        break
    fi
    report="$report
Python 3.$candidate skipped: not on this machine"
done
if [ -n "$newest" ] && [ "$newest" -gt "$here" ]; then
    run_quick_tests "$newest" "$python"
fi

python=$(find_python 10)
if [ -z "$python" ]; then
    report="$report
Python 3.10 skipped: not on this machine"
elif [ "$here" -ne 10 ]; then
    run_quick_tests 10 "$python"
fi

echo "== Summary$report"
exit "$status"
