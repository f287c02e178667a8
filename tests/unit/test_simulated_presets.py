import copy
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import get_args, get_origin, get_type_hints

import jsonschema
import pytest
import yaml

from autotuner.backends.simulated import preset
from autotuner.backends.simulated.behaviour import Heat
from autotuner.backends.simulated.preset import (
    Memory,
    NamedModel,
    Noise,
    PowerMode,
    Precision,
    Preset,
    Processor,
    Source,
    Timing,
)
from autotuner.core.errors import InputError
from autotuner.data import resource

SCHEMA = json.loads(resource("profiles", "devices", "device.schema.json").read_text())
DEFINITIONS = {
    Preset: SCHEMA,
    Source: SCHEMA["$defs"]["source"],
    Processor: SCHEMA["$defs"]["processor"],
    Precision: SCHEMA["$defs"]["precision"],
    PowerMode: SCHEMA["$defs"]["power_mode"],
    Memory: SCHEMA["$defs"]["memory"],
    Noise: SCHEMA["$defs"]["noise"],
    Heat: SCHEMA["$defs"]["heat"],
    NamedModel: SCHEMA["$defs"]["model"],
    Timing: SCHEMA["$defs"]["timing"],
}
COMPUTED = {"digest"}


def document(name):
    """Return the data of the preset *name*."""
    return yaml.safe_load(resource("profiles", "devices", f"{name}.yaml").read_text())


def required(cls):
    """Return the names of the fields that have no default."""
    return {
        f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING
    } - COMPUTED


@pytest.mark.parametrize("cls", DEFINITIONS)
def test_the_schema_names_every_field(cls):
    """What a preset may hold is written once as a schema and once as values."""
    definition = DEFINITIONS[cls]
    assert {*definition["properties"]} == {f.name for f in fields(cls)} - COMPUTED
    assert {*definition["required"]} == required(cls)


def test_the_schema_refers_to_the_definition_of_each_value():
    """A field that is a value of its own has that value's definition."""
    for cls, definition in DEFINITIONS.items():
        for name, hint in get_type_hints(cls).items():
            inner = hint
            if get_origin(hint) in {tuple, Mapping, types.UnionType}:
                inner = next((a for a in get_args(hint) if a in DEFINITIONS), None)
            if get_origin(hint) is not None and issubclass(get_origin(hint), Mapping):
                inner = get_args(hint)[1]
            if inner in DEFINITIONS:
                assert "$ref" in json.dumps(definition["properties"][name]), (cls, name)


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_fits_the_schema(name):
    """And its name is that of its file."""
    data = document(name)
    jsonschema.validate(data, SCHEMA)
    assert data["name"] == name


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_can_be_loaded_and_is_whole(name):
    """It boots into one of its modes, knows the baseline's precision and names its sources."""
    found = preset.load(name)
    assert found.default_mode in found.power_modes
    assert "fp32" in found.precisions
    assert any(source.cited != "Assumed" for source in found.sources)
    assert all(source.figures.strip() for source in found.sources)


def test_a_preset_with_a_wrong_field_is_no_preset():
    """The schema says no to a misspelt name."""
    data = copy.deepcopy(document("titan-v"))
    data["processor"]["bandwith_gbs"] = 1.0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_the_digest_tells_presets_apart():
    """It goes into the fingerprint, so that facts of an older preset are not taken for new."""
    digests = {preset.load(name).digest for name in preset.names()}
    assert len(digests) == len(preset.names())


def test_the_devices_that_were_promised_are_there():
    """Two generations of small boards, a large one, a workstation, and two without accelerator."""
    assert {"jetson-tx2", "jetson-orin-nano", "jetson-agx-orin", "titan-v"} <= {*preset.names()}
    without = [name for name in preset.names() if preset.load(name).gpu is None]
    assert {"raspberry-pi-4", "x86-server"} == {*without}


def test_an_unknown_device_is_answered_with_the_known_ones():
    """So that nobody has to look them up."""
    with pytest.raises(InputError, match=r"'tx3'.*sim:jetson-tx2.*sim:x86-server"):
        preset.load("tx3")
