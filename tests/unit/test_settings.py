from __future__ import annotations

import pytest

from autotuner import settings
from autotuner.core.errors import InputError, StateError
from autotuner.settings import Settings

WHOLE = """\
schema: 1
access:
  watch: group
  submit: root
limits: {queued_jobs: 5}
storage: sqlite:////srv/studies.db
tuning:
  windows: ["22:00-06:00", "sat,sun 0:00-24:00"]
  max_load: 0.2
  mains_power: true
  max_temperature: 70
  recheck_days: 3
models:
  - model: /srv/net.onnx
    max_latency: 50ms
    percentile: 95
    apply: true
  - model: resnet-50
    objective: energy
    max_power: 15W
    scenario: server
    rate: 100
    max_latency: 20ms
    time: 2m
"""


def test_everything_can_be_said():
    """And becomes typed values."""
    read = settings.parse(WHOLE, "config.yaml")
    assert (read.access.submit, read.access.apply) == ("root", "group")
    assert len(read.tuning.hours) == 2
    first, second = (model.request(read.storage) for model in read.models)
    assert (first.max_latency_ms, first.percentile, first.storage) == (50.0, 95.0, read.storage)
    assert (second.goal, second.max_seconds, second.max_power_w) == ("energy", 120.0, {"": 15.0})
    assert second.workload.rate_ips == 100.0


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_everything_may_be_left_out(text):
    """The defaults are meant to be good."""
    assert settings.parse(text, "config.yaml") == Settings()


def test_without_a_file_the_defaults_hold(tmp_path):
    """A file that cannot be read is another matter."""
    assert settings.read(tmp_path / "none.yaml") == Settings()
    (tmp_path / "config.yaml").mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        settings.read(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("acess: {}", 1, "acess is not known"),
        ("access:\n  watch: everyone", 2, "access.watch should be one of"),
        ("access:\n  look: root", 2, "access.look is not known"),
        ("models:\n- model: a\n- max_latency: 1ms", 3, "models[1].model is missing"),
        ("models:\n- model: a\n  max_latency: 5", 3, "models[0].max_latency should be"),
        ("models:\n- model: a\n  max_latency: 5 parsecs", 2, "models[0]: "),
        ("models:\n- model: a", 2, "models[0]: Give the latency budget"),
        ("models: a", 1, "models should be a list"),
        ("tuning:\n  windows: [late]", 2, "tuning.windows: 'late' is no window"),
        ("limits: {queued_jobs: 0}", 1, "limits must be at least 1"),
        ("storage: a\nschema: 2", 2, "schema 2 is newer"),
        ("a: [", 1, "no YAML"),
        ("storage: a\n\nstorage: b", 3, "storage stands here a second time"),
        ("- a", 1, "should be a mapping"),
        ("\tx: 1", 1, "no YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, line, words):
    """And with the key, so that nobody has to search."""
    with pytest.raises(InputError) as raised:
        settings.parse(text, "config.yaml")
    assert str(raised.value).startswith(f"config.yaml, line {line}: ")
    assert words in str(raised.value)
