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

# Make the environment of Python 3.$1, which is the program $2, unless there is no such Python.
make_environment() {
    [ -n "$2" ] && make --no-print-directory "VENV=.venv-3.$1" "PYTHON=$2" ".venv-3.$1/.dev"
}

run_quick_tests() {
    if make_environment "$1" "$2"; then
        # shellcheck disable=SC2086
        run_tests "$1" ".venv-3.$1" $share tests/unit tests/contract
    else
        status=1
        report="$report
Python 3.$1 FAILED: its environment could not be made"
    fi
}

# A file stays in one process, as its tests may share what is costly to make. Files with few tests
# are not kept for the end: they are the slow ones.
share="--numprocesses=auto --dist=loadfile --no-loadscope-reorder"

here=$(minor "$venv/bin/python") || exit 1
oldest=10
[ "$here" -ne "$oldest" ] && oldest_python=$(find_python "$oldest")
for newest in 14 13 12 11; do
    newest_python=$(find_python "$newest")
    [ -n "$newest_python" ] && break
    report="$report
Python 3.$newest skipped: not on this machine"
done
[ "$newest" -le "$here" ] && newest_python=""

# Environments are made while tests share the processors anyway; what goes wrong is told when they
# are needed.
{
    make_environment "$newest" "$newest_python"
    make_environment "$oldest" "${oldest_python-}"
} >/dev/null 2>&1 &
# shellcheck disable=SC2086 # these are several words
run_tests "$here" "$venv" $share -m "not alone and not soak"
wait
run_tests "$here" "$venv" -m "alone and not soak"

if [ -n "$newest_python" ]; then
    run_quick_tests "$newest" "$newest_python"
fi
if [ "$here" -ne "$oldest" ] && [ -z "$oldest_python" ]; then
    report="$report
Python 3.$oldest skipped: not on this machine"
elif [ "$here" -ne "$oldest" ]; then
    run_quick_tests "$oldest" "$oldest_python"
fi

echo "== Summary$report"
exit "$status"
