#!/bin/sh
# Set up a virtual environment in three steps:
#
#   setup.sh venv VENV PYTHON      make VENV with PYTHON, naming what is missing for that
#   setup.sh package VENV PYTHON   install this tree (editable) with the runtime that fits
#   setup.sh dev VENV PYTHON       add what the tests and checks need
set -eu
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

step=$1
venv=$2
python=$3
machine=$(uname -m)

stop() {
    echo "$*" >&2
    exit 1
}

# JetPack's own builds lie in the system's Python and are on no package index.
system_offers_onnxruntime() {
    "$python" 2>/dev/null -c 'import onnxruntime as runtime
major, minor, *_ = runtime.__version__.split(".")
assert (int(major), int(minor)) >= (1, 23)'
}
system_offers_tensorrt() {
    "$python" -c 'import tensorrt' 2>/dev/null
}

make_venv() {
    command -v "$python" >/dev/null ||
        stop "$python is not installed; run: sudo apt-get install python3 python3-venv"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
        stop "$python does not start; name another Python: make PYTHON=/usr/bin/python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        stop "Python 3.10 or newer is needed and $python is $version;" \
            "run: sudo apt-get install python3 python3-venv, then make PYTHON=/usr/bin/python3"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "Python $version has no venv module; run: sudo apt-get install python$version-venv"
    options=--clear
    if [ "$machine" = aarch64 ] && { system_offers_onnxruntime || system_offers_tensorrt; }; then
        options="$options --system-site-packages"
    fi
    echo "Making $venv with Python $version ..."
    # shellcheck disable=SC2086  # the options are words
    "$python" -m venv $options "$venv"
}

# Set `requirements` to what pip installs and `why` to the reason in words.
choose_runtime() {
    requirements='.[cpu]'
    case $machine in
    x86_64) choose_by_driver ;;
    aarch64) choose_by_system ;;
    *) why="[cpu], the runtime for $machine" ;;
    esac
}

# CUDA 12 needs driver 525, CUDA 13 driver 580; onnxruntime-gpu is built for CUDA 13 since 1.27.
choose_by_driver() {
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)
    major=${driver%%.*}
    case $major in
    '' | *[!0-9]*)
        why="[cpu], as no NVIDIA driver answers here"
        return
        ;;
    esac
    if [ "$major" -ge 580 ]; then
        requirements='.[gpu]'
        why="[gpu], as NVIDIA driver $driver runs CUDA 13"
    elif [ "$major" -ge 525 ]; then
        requirements='.[gpu] onnxruntime-gpu<1.27'
        why="[gpu] below 1.27, as NVIDIA driver $driver runs CUDA 12"
    else
        why="[cpu], as NVIDIA driver $driver is too old for CUDA 12 (525 or newer runs it)"
    fi
}

choose_by_system() {
    if system_offers_onnxruntime; then
        requirements='.'
        why="the ONNX Runtime that the system's Python offers"
    else
        why="[cpu], as the system's Python offers no ONNX Runtime from 1.23"
    fi
}

install_package() {
    choose_runtime
    echo "Installing edge-autotune with $why (about a minute) ..."
    pip_install --upgrade 'pip>=25.1' # the first with dependency groups
    # shellcheck disable=SC2086  # the requirements are words
    pip_install --editable $requirements
}

install_dev() {
    echo "Installing what the tests and checks need (about a minute) ..."
    pip_install --group dev
}

pip_install() {
    "$venv/bin/python" -m pip install --quiet --quiet --progress-bar off "$@" ||
        stop "The installation failed for the reason above; mend it and run make again."
}

case $step in
venv) make_venv ;;
package) install_package ;;
dev) install_dev ;;
*) stop "$step is no step; choose venv, package or dev." ;;
esac
