"""The configuration of a Jetson's power modes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from power_machines import CAP, nvpmodel_conf

from autotuner.host.power.nvpmodel_conf import NvpmodelConf, number, parse


def test_modes_keep_their_numbers_names_and_values():
    """Numbers may have gaps; -1 is no cap."""
    conf = parse(nvpmodel_conf())
    assert {model.id: model.name for model in conf.models} == {
        0: "15W",
        1: "25W",
        2: "MAXN_SUPER",
        4: "7W",
    }
    assert ("GPU", "MAX_FREQ", 612_000_000) in conf.models[0].settings
    assert ("GPU", "MAX_FREQ", -1) in conf.models[2].settings
    assert conf.default_id == 1


def test_a_tag_without_its_space_is_read_too():
    """As it stands in the file that the vendor ships."""
    assert parse(nvpmodel_conf()).files["EMC"]["MAX_FREQ_KNEXT"] == CAP


def test_values_may_be_hexadecimal():
    """Masks are written either way, and with leading zeros."""
    assert (number("0xfc"), number("0010"), number("-1")) == (252, 10, -1)
    assert (number("lots"), number(None)) == (None, None)


def test_an_empty_file_has_no_modes():
    """The machine is not ours to set then."""
    assert parse("") == NvpmodelConf()


@given(st.text())
def test_no_text_is_an_error(text):
    """What means nothing is passed over."""
    parse(text)


@given(st.lists(st.sampled_from(nvpmodel_conf().splitlines())).map("\n".join))
def test_no_order_of_lines_is_an_error(text):
    """A file that was edited by hand must not end a run."""
    assert all(model.name for model in parse(text).models)
