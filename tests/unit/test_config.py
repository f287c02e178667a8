from __future__ import annotations

from dataclasses import fields, replace

import pytest
from core_values import configs, quickly
from hypothesis import given

from autotuner.core.config import BASELINE, Config


@quickly
@given(configs)
def test_a_config_and_its_mapping_say_the_same(config):
    """The search speaks in mappings, the bench in typed values."""
    mapping = config.to_mapping()
    assert Config.from_mapping(mapping) == config
    assert set(mapping) == {field.name for field in fields(Config)}


def test_a_mapping_may_leave_settings_at_their_defaults():
    """A search space need not have every dimension."""
    assert Config.from_mapping({"workers": 2}) == replace(BASELINE, workers=2)


def test_an_unknown_setting_is_a_mistake_of_the_program():
    """It must not be lost silently."""
    with pytest.raises(TypeError, match="depth"):
        Config.from_mapping({"depth": 2})


def test_a_config_can_be_a_key():
    """Equal configurations are the same key."""
    assert {Config(workers=2): 1}[Config(workers=2)] == 1


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (BASELINE, "batch 1, 1 worker x default threads"),
        (Config(batch_size=8, workers=2, intra_op_threads=1), "batch 8, 2 workers x 1 thread"),
        (Config(intra_op_threads=4, affinity="compact"), "batch 1, 1 worker x 4 threads, compact"),
        (
            Config(precision="int8", provider="openvino-cpu", power_mode="15W"),
            "batch 1, 1 worker x default threads, int8, openvino-cpu, 15W",
        ),
        (
            Config(workers=2, provider="tensorrt", mps=True),
            "batch 1, 2 workers x default threads, tensorrt, MPS",
        ),
        (
            Config(provider="tensorrt", streams=3),
            "batch 1, 1 worker x default threads, tensorrt, 3 streams",
        ),
    ],
)
def test_a_config_reads_as_a_phrase(config, words):
    """What is as in the baseline goes without saying; numbers agree with their nouns."""
    assert str(config) == words
