from __future__ import annotations

import pytest

from autotuner.core import network
from autotuner.core.errors import InputError
from autotuner.core.network import NETWORKS, Network


@pytest.mark.parametrize("name", NETWORKS)
def test_usual_networks_are_known_by_name(name):
    """In any case of letters."""
    assert network.read(name.upper()) is NETWORKS[name]


def test_a_network_is_described_by_its_figures():
    """Each with its unit, in any order."""
    found = network.read("rtt=10ms, up=800kbit,down=0.1gbit,tx=1.2W")
    assert found == Network(up_mbit_s=0.8, down_mbit_s=100.0, rtt_ms=10.0, tx_w=1.2)


def test_sending_takes_eight_bits_a_byte():
    """A megabyte at eight megabits a second is a second; down is as fast as up unless said."""
    found = Network(up_mbit_s=8.0)
    assert found.up_ms(1e6) == pytest.approx(1000.0)
    assert found.down_ms(1e6) == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("up=20", "no rate; write it with a unit"),
        ("up=-20mbit", "no rate"),
        ("up=0mbit", "above zero"),
        ("up=20mbit,rtt=-1ms", "must be above zero"),
        ("up=20mbit,rtt=10", "no unit"),
        ("up=20mbit,tx=2", "no unit"),
        ("rtt=10ms", "no rate to send at"),
        ("5g", "says nothing about a network"),
        ("", "says nothing about a network"),
    ],
)
def test_negative_and_unitless_figures_are_refused(text, reason):
    """The message shows how it is written."""
    with pytest.raises(InputError, match=reason):
        network.read(text)
