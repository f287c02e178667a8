from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest
from core_values import fingerprints, quickly
from hypothesis import given

from autotuner.core.fingerprint import Fingerprint

BOX = Fingerprint(
    device="box",
    cpu="a cpu",
    cpus=4,
    memory_gib=16,
    gpu="a gpu",
    driver="1.0",
    runtimes={"onnxruntime": "1.23", "openvino": "2025"},
    os="an os",
    model_sha256="ab" * 32,
    shapes={"x": (3, 224, 224)},
    data_sha256="cd" * 32,
    scenario="server",
    rate_ips=100.0,
    io="device",
)


@quickly
@given(fingerprints)
def test_the_digest_is_twelve_hexadecimal_digits(fingerprint):
    """It fits into a file name."""
    assert re.fullmatch("[0-9a-f]{12}", fingerprint.digest)


@pytest.mark.parametrize("name", [field.name for field in fields(Fingerprint)])
def test_every_field_changes_the_digest(name):
    """Nothing that makes a measurement invalid goes unnoticed."""
    other = replace(BOX, **{name: getattr(Fingerprint(), name)})
    assert other.digest != BOX.digest
    assert BOX.differences(other) == (name,)


def test_the_digest_does_not_depend_on_the_order_of_runtimes():
    """Equal fingerprints have equal digests."""
    turned = replace(BOX, runtimes=dict(reversed(BOX.runtimes.items())))
    assert turned == BOX
    assert turned.digest == BOX.digest


def test_the_digest_never_changes_between_versions():
    """Profiles are looked up by it; a change here makes every stored profile unfindable."""
    assert Fingerprint(cpu="a cpu", cpus=4, model_sha256="ab").digest == "22093cdd5e69"


def test_equal_fingerprints_differ_in_nothing():
    """Comparing with itself finds no names."""
    assert BOX.differences(replace(BOX)) == ()
