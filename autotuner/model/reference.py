"""The reference models: well-known networks by name, made once into a cache directory.

Their weights are random, so their speed is that of the real network and their answers are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from autotuner import durable
from autotuner.core.errors import ModelError, StateError
from autotuner.model.digest import sha256
from autotuner.model.nearest import nearest

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "alexnet": "AlexNet (2012): five convolutions, three large dense layers",
        "densenet-121": "DenseNet-121 (2016): every layer sees all earlier ones; many small steps",
        "densenet-161": "DenseNet-161 (2016): wider, 29 million parameters",
        "densenet-169": "DenseNet-169 (2016): deeper",
        "densenet-201": "DenseNet-201 (2016): deeper still",
        "inception-v1": "Inception v1, GoogLeNet (2014): parallel branches of 1x1, 3x3 and 5x5",
        "inception-v2": "Inception v2 (2015): Inception with batch normalisation",
        "inception-v3": "Inception v3 (2015): large kernels split in two; images of 299 x 299",
        "mnasnet": "MnasNet 1.0 (2019): found by a search for latency on a telephone",
        "mobilenet-v1": "MobileNet v1 1.0 (2017): depthwise separable convolutions",
        "mobilenet-v2": "MobileNet v2 1.0 (2018): inverted residuals with linear bottlenecks",
        "resnet-18": "ResNet-18 (2015): residual blocks of two 3x3 convolutions",
        "resnet-34": "ResNet-34 (2015): twice as deep",
        "resnet-50": "ResNet-50 (2015): residual bottleneck blocks, the usual yardstick",
        "resnet-101": "ResNet-101 (2015): twice as deep, 45 million parameters",
        "resnet-152": "ResNet-152 (2015): deeper still, 60 million parameters",
        "shufflenet": "ShuffleNet v1 (2017): grouped convolutions with channel shuffle",
        "shufflenet-v2": "ShuffleNet v2 1.0 (2018): channels split and shuffled, no groups",
        "squeezenet": "SqueezeNet 1.1 (2016): AlexNet's accuracy with 1.2 million parameters",
        "squeezenet-1.0": "SqueezeNet 1.0 (2016): the same with more than twice the operations",
        "vgg-11": "VGG-11 (2014): eight 3x3 convolutions; 133 million parameters",
        "vgg-13": "VGG-13 (2014): ten of them",
        "vgg-16": "VGG-16 (2014): thirteen of them, the usual one",
        "vgg-19": "VGG-19 (2014): sixteen 3x3 convolutions; heavy, 144 million parameters",
        "xception": "Xception (2016): depthwise separable throughout; images of 299 x 299",
        "zfnet-512": "ZFNet-512 (2013): AlexNet with smaller strides and wider layers",
    }
)
NAMES = tuple(DESCRIPTIONS)
DEFAULT = "inception-v2"

RECIPE = 2
"""Raised whenever the making changes, so that files of an older recipe are not taken for new."""


def path(name: str, cache_dir: Path) -> Path:
    """Return the ONNX file of the reference model *name* in *cache_dir*, making it when needed.

    A damaged file is made anew. Raises ModelError for an unknown name and StateError when the
    cache directory cannot be written.
    """
    if name not in DESCRIPTIONS:
        raise ModelError(f"There is no reference model {name!r}; {nearest(name, NAMES)}")
    file = cache_dir / f"reference-models-{RECIPE}" / f"{name}.onnx"
    try:
        if not _intact(file):
            _make(name, file)
    except OSError as error:
        raise StateError(
            f"Cannot keep the reference model {name} in {cache_dir}: {error.strerror}; "
            "free some space there or choose a directory that you may write."
        ) from error
    return file


def _checksum_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _intact(file: Path) -> bool:
    """Say whether *file* is there and has the content that was once written."""
    try:
        expected = _checksum_file(file).read_text(encoding="ascii")
        return expected == sha256([file])
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def _make(name: str, file: Path) -> None:
    # Listing the models must not pay for importing onnx.
    from autotuner.model import recipe  # noqa: PLC0415

    file.parent.mkdir(parents=True, exist_ok=True)
    durable.write(file, recipe.make(name).SerializeToString(deterministic=True))
    # Last, so that a file without its checksum counts as unfinished.
    durable.write(_checksum_file(file), sha256([file]).encode())
