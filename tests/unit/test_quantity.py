from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.core.errors import InputError
from autotuner.core.quantity import integers, mebibytes, milliseconds, seconds, watts, words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500us", 0.0005),
        ("500µs", 0.0005),
        ("50ms", 0.05),
        ("0.05s", 0.05),
        (".05s", 0.05),
        ("5e-2s", 0.05),
        ("1e3ms", 1.0),
        ("+2s", 2.0),
        ("2m", 120.0),
        ("2min", 120.0),
        ("1.5h", 5400.0),
        ("  50 ms ", 0.05),
    ],
)
def test_a_duration_is_read_with_its_unit(text, value):
    """Every unit, spaces, signs and exponents are understood."""
    assert math.isclose(seconds(text), value)
    assert math.isclose(milliseconds(text), value * 1000.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no duration"),
        ("fast", "is no duration"),
        ("ms", "is no duration"),
        ("1.2.3ms", "is no duration"),
        (".ms", "is no duration"),
        ("nanms", "is no duration"),
        ("50 ms please", "is no duration"),
        ("50ms,60ms", "is no duration"),
        ("1_000ms", "is no duration"),
        ("50", "has no unit"),
        ("50MS", "unknown unit 'MS'"),
        ("50MiB", "unknown unit 'MiB'"),
        ("0ms", "above zero"),
        ("-5ms", "above zero"),
        ("1e-999s", "above zero"),
        ("1e999s", "finite"),
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text, said):
    """The message repeats what was typed, says what is wrong and shows how to write it."""
    with pytest.raises(InputError) as caught:
        seconds(text)
    message = str(caught.value)
    assert repr(text) in message
    assert said in message
    assert "50ms, 0.05s or 2m" in message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512MiB", 512.0),
        ("4GiB", 4096.0),
        ("1024KiB", 1.0),
        ("1.048576MB", 1.0),
        ("1GB", 1e9 / 2**20),
    ],
)
def test_a_size_is_read_with_its_unit(text, value):
    """Binary and decimal units are kept apart."""
    assert math.isclose(mebibytes(text), value)


@pytest.mark.parametrize("text", ["512", "512ms", "0MiB", "-1GiB", "1e999GiB", "much", ""])
def test_what_is_no_size_is_refused_with_an_example(text):
    """The example is one of a size, not of a duration."""
    with pytest.raises(InputError, match="such as 512MiB or 4GiB"):
        mebibytes(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("8", (8,)),
        ("1,2,4", (1, 2, 4)),
        ("4,1", (4, 1)),
        ("1..4", (1, 2, 3, 4)),
        ("3..3", (3,)),
        (" 1 , 2..3 ", (1, 2, 3)),
        ("1,1..2,2", (1, 2)),
    ],
)
def test_a_list_of_numbers_keeps_its_order_and_each_number_once(text, values):
    """Single numbers and ranges may be mixed."""
    assert integers(text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write 8, 1,2,4 or 1..32"),
        ("1,", "write 8, 1,2,4 or 1..32"),
        ("a", "write 8, 1,2,4 or 1..32"),
        ("1.5", "write 8, 1,2,4 or 1..32"),
        ("-1", "write 8, 1,2,4 or 1..32"),
        ("1..", "write 8, 1,2,4 or 1..32"),
        ("..4", "write 8, 1,2,4 or 1..32"),
        ("1...4", "write 8, 1,2,4 or 1..32"),
        ("1..2..3", "write 8, 1,2,4 or 1..32"),
        ("0", "write 1..32"),
        ("4..1", "write 1..32"),
        ("1..100000", "narrow it"),
    ],
)
def test_what_is_no_list_of_positive_numbers_is_refused(text, said):
    """The message says how to write it."""
    with pytest.raises(InputError) as caught:
        integers(text)
    assert said in str(caught.value)


def test_words_are_separated_by_commas_and_kept_once():
    """Spaces and empty places do not count."""
    assert words(" none, compact ,,none") == ("none", "compact")


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_a_list_without_words_is_refused(text):
    """An empty choice would leave nothing to search."""
    with pytest.raises(InputError, match="lists nothing; write one or more names"):
        words(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.,-+eumsµhMGiKB \n٣x", max_size=12))
def test_any_text_is_read_or_refused(text):
    """Typed text never raises anything else than InputError, and a value is always usable."""
    for read in (seconds, mebibytes, watts, integers, words):
        try:
            value = read(text)
        except InputError:
            continue
        assert value
        assert not isinstance(value, float) or 0.0 < value < math.inf


@pytest.mark.parametrize(("text", "value"), [("15W", 15.0), ("7.5 W", 7.5), ("800mW", 0.8)])
def test_a_power_is_read_with_its_unit(text, value):
    """In watts."""
    assert watts(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"), [("15", "no unit"), ("15J", "unknown unit"), ("W", "no")]
)
def test_what_is_no_power_is_refused(text, said):
    """The message says how to write it."""
    with pytest.raises(InputError, match=f"{said}.*15W"):
        watts(text)
