from __future__ import annotations

from autotuner.core.wording import counted


def test_one_thing_is_no_things():
    """And none are several."""
    assert [counted(number, "trial") for number in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]


def test_a_plural_may_be_another_word():
    """Where an s does not make it."""
    assert counted(1, "batch", "batches") == "1 batch"
    assert counted(3, "batch", "batches") == "3 batches"
