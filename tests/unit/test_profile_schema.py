import copy
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Literal, get_args, get_origin, get_type_hints

import jsonschema
import pytest

from autotuner.core.accuracy import Accuracy, OutputAccuracy
from autotuner.core.config import Config
from autotuner.core.encoding import encode
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.judgement import AccuracyRules, Judgement
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed, Histogram, Measurement
from autotuner.core.profile import SCHEMA, Evidence, ModelRecord, Profile, SearchRecord
from autotuner.core.request import Workload
from autotuner.data import resource

SCHEMA_DOCUMENT = json.loads(resource("profiles", "profile.schema.json").read_text())
DEFINITIONS = {
    Profile: SCHEMA_DOCUMENT,
    ModelRecord: SCHEMA_DOCUMENT["$defs"]["model"],
    Workload: SCHEMA_DOCUMENT["$defs"]["workload"],
    AccuracyRules: SCHEMA_DOCUMENT["$defs"]["accuracy_rules"],
    Judgement: SCHEMA_DOCUMENT["$defs"]["judgement"],
    Accuracy: SCHEMA_DOCUMENT["$defs"]["accuracy"],
    OutputAccuracy: SCHEMA_DOCUMENT["$defs"]["output_accuracy"],
    Failed: SCHEMA_DOCUMENT["$defs"]["failed"],
    Objective: SCHEMA_DOCUMENT["$defs"]["objective"],
    Constraint: SCHEMA_DOCUMENT["$defs"]["constraint"],
    Evidence: SCHEMA_DOCUMENT["$defs"]["evidence"],
    Config: SCHEMA_DOCUMENT["$defs"]["config"],
    Measurement: SCHEMA_DOCUMENT["$defs"]["measurement"],
    Histogram: SCHEMA_DOCUMENT["$defs"]["histogram"],
    SearchRecord: SCHEMA_DOCUMENT["$defs"]["search"],
    Fingerprint: SCHEMA_DOCUMENT["$defs"]["fingerprint"],
}
HASH = "0123456789abcdef" * 4

FULL_MEASUREMENT = Measurement(
    throughput_ips=310.5,
    p50_ms=12.1,
    p90_ms=12.9,
    p95_ms=13.4,
    p99_ms=15.0,
    max_ms=18.2,
    mean_ms=12.3,
    cv=0.04,
    n=400,
    window_s=1.25,
    memory_mib=512.0,
    power_w=14.5,
    energy_j=0.047,
    clock_mhz=1900.0,
    throttled=False,
    setup_s=0.4,
    disturbed="another process used 20 % of the CPUs",
    histogram=Histogram(low_ms=11.0, high_ms=18.2, counts=(390, 6, 4)),
    intervals={"p99_ms": (14.2, None), "throughput_ips": (305.0, 316.0)},
    extra={"p99.9_ms": 17.9},
)
FULL = Profile(
    status="proven",
    created="2025-01-31T12:00:00+00:00",
    tool_version="0.1.0",
    model=ModelRecord(name="squeezenet", path="/models/squeezenet.onnx", sha256=HASH),
    workload=Workload(
        model="/models/squeezenet.onnx",
        shapes=("data_0=3x224x224",),
        data="/data/images.npz",
        seed=7,
        preprocess="size=224x224",
        accuracy=AccuracyRules(labels="/l.npy", metric="m:f", metric_folder="/home/me"),
    ),
    objective=Objective.maximize(
        "throughput_ips",
        [Constraint("p99_ms", at_most=50.0), Constraint("throughput_ips", at_least=100.0)],
    ),
    confidence=0.95,
    winner=Evidence(
        config=Config(batch_size=4, workers=2, intra_op_threads=1, affinity="compact"),
        measurement=FULL_MEASUREMENT,
        search_measurement=FULL_MEASUREMENT,
    ),
    baseline=Evidence(config=Config(), measurement=FULL_MEASUREMENT),
    speedup=2.1,
    search=SearchRecord(
        trials=20,
        failed=1,
        space_size=84,
        elapsed_s=61.5,
        sampler="tpe",
        seed=0,
        stopped_because="the time is up",
    ),
    fingerprint=Fingerprint(
        device="Jetson Orin Nano",
        cpu="ARMv8 Processor",
        cpus=6,
        memory_gib=8,
        gpu="Orin",
        driver="540.3.0",
        runtimes={"onnxruntime": "1.23.2"},
        os="Ubuntu 22.04.4 LTS",
        model_sha256=HASH,
        shapes={"data_0": (3, 224, 224)},
        data_sha256=HASH,
        scenario="server",
        rate_ips=200.0,
    ),
    front=(Evidence(config=Config(), measurement=FULL_MEASUREMENT),),
    provider_default=Evidence(config=Config(), measurement=FULL_MEASUREMENT),
    provider_speedup=1.3,
    judgement=Judgement(
        provider="onnxruntime-cpu",
        precision="int8",
        accuracy=Accuracy(
            score=0.98,
            judged_by="labels",
            judged_on="data",
            samples=100,
            outputs=(
                OutputAccuracy(
                    name="y",
                    score=0.98,
                    cosine=0.99,
                    snr_db=20.0,
                    top1=0.97,
                    top5=1.0,
                    equal=0.5,
                    fault="holds NaN",
                ),
            ),
            top1=0.90,
            reference_top1=0.92,
        ),
        failed=Failed("inaccurate", "at least 0.99 is wanted"),
        float_nodes=("conv_1",),
        calibrated_on="/data/images.npz",
    ),
)
LEAST = Profile(
    status="interrupted",
    created="2025-01-31T12:00:00+00:00",
    tool_version="0.1.0",
    model=ModelRecord(name="m", path="/m.onnx", sha256=HASH),
    workload=Workload(),
    objective=Objective.minimize("p50_ms"),
    confidence=0.5,
    winner=Evidence(config=Config(), measurement=Measurement()),
    baseline=Evidence(config=Config(), measurement=Measurement()),
    speedup=None,
    search=FULL.search,
    fingerprint=Fingerprint(model_sha256=HASH),
)


@pytest.fixture(scope="module")
def validator():
    """Return the validator of the published schema, itself valid."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA_DOCUMENT)
    return jsonschema.Draft202012Validator(SCHEMA_DOCUMENT)


@pytest.mark.parametrize("profile", [FULL, LEAST], ids=["full", "least"])
def test_a_profile_as_it_is_written_is_valid(validator, profile):
    """Whatever a run leaves out or fills in, its profile keeps the published schema."""
    validator.validate(json.loads(json.dumps(encode(profile))))


@pytest.mark.parametrize("cls", DEFINITIONS, ids=lambda cls: cls.__name__)
def test_the_schema_has_every_field_with_its_type(cls):
    """A field that is added, renamed or retyped in the code changes the schema too."""
    hints = get_type_hints(cls)
    expected = {field.name: _json_type(hints[field.name], field) for field in fields(cls)}
    found = {
        name: {"object"} if "$ref" in entry else set(_listed(entry["type"]))
        for name, entry in DEFINITIONS[cls]["properties"].items()
    }
    assert found == expected


@pytest.mark.parametrize("cls", DEFINITIONS, ids=lambda cls: cls.__name__)
def test_the_schema_demands_what_the_reader_demands(cls):
    """A document that the schema accepts misses no field that the reader needs."""
    without_default = {field.name for field in fields(cls) if not _has_default(field)}
    assert set(DEFINITIONS[cls]["required"]) - {"schema"} == without_default


@pytest.mark.parametrize("cls", DEFINITIONS, ids=lambda cls: cls.__name__)
def test_the_schema_describes_every_field_and_allows_no_other(cls):
    """A person can read the schema as the reference of the file format."""
    assert all(entry["description"] for entry in DEFINITIONS[cls]["properties"].values())
    assert DEFINITIONS[cls]["additionalProperties"] is False


def test_the_schema_is_for_the_version_that_is_written():
    """A new version of the format needs a new schema."""
    assert SCHEMA_DOCUMENT["properties"]["schema"]["const"] == SCHEMA


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("status",), "maybe"),
        (("model", "sha256"), "short"),
        (("objective", "direction"), "sideways"),
        (("objective", "constraints", 0, "at_least"), 1.0),  # beside at_most
        (("objective", "constraints", 0, "unit"), "ms"),
        (("confidence",), 1.5),
        (("winner", "config", "batch_size"), 0),
        (("winner", "config", "workers"), "two"),
        (("winner", "config", "provider"), "abacus"),
        (("winner", "measurement", "p99_ms"), None),
        (("winner", "measurement", "p99_ms"), -1.0),
        (("winner", "measurement", "n"), 1.5),
        (("winner", "measurement", "intervals", "p99_ms"), [1.0]),
        (("winner", "measurement", "latency"), 1.0),
        (("fingerprint", "shapes", "data_0", 1), "wide"),
        (("fingerprint", "serial_number"), "12345"),
        (("front", 0, "measurement", "p99_ms"), -1.0),
        (("fingerprint", "scenario"), "rush hour"),
    ],
    ids=lambda item: ".".join(map(str, item)) if isinstance(item, tuple) else repr(item),
)
def test_a_wrong_value_is_refused(validator, path, value):
    """The schema rejects a wrong type, a number out of range and a field that nobody knows."""
    document = copy.deepcopy(encode(FULL))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert [tuple(error.absolute_path) for error in validator.iter_errors(document)] in (
        [path],
        [path[:-1]],  # an unknown field is an error of the mapping that holds it
    )


@pytest.mark.parametrize("name", ["schema", "winner", "fingerprint", "objective"])
def test_a_missing_field_is_refused(validator, name):
    """A profile without one of its main parts is none."""
    document = encode(FULL)
    del document[name]
    assert [error.validator for error in validator.iter_errors(document)] == ["required"]


def _json_type(hint, field):
    """Return the JSON types that a field is written as; a field with a default is left out."""
    if get_origin(hint) is types.UnionType:
        members = set().union(*(_json_type(member, field) for member in get_args(hint)))
        return members - {"null"} if _has_default(field) else members
    if is_dataclass(hint) or get_origin(hint) is Mapping:
        return {"object"}
    if get_origin(hint) is tuple:
        return {"array"}
    if get_origin(hint) is Literal:
        return {"string"}
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {{**names, types.NoneType: "null"}[hint]}


def _has_default(field):
    return field.default is not MISSING or field.default_factory is not MISSING


def _listed(item):
    return item if isinstance(item, list) else [item]
