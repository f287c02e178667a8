from __future__ import annotations

from dataclasses import replace

import machines
import pytest
from model_values import model_info

from autotuner import doctor, subject, venue
from autotuner.core.errors import MachineError
from autotuner.core.fingerprint import Fingerprint
from autotuner.host import mps
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec
from autotuner.subject import Subject

ON_CPU = Subject(
    info=model_info(x=("N", 3)),
    inputs=InputSpec(tensors=()),
    topology=Topology(cpus=(0, 1)),
    precisions={"onnxruntime-cpu": {"fp32": "fp32"}},
    fingerprint=Fingerprint(),
    notes=(),
)
ON_GPU = replace(ON_CPU, precisions={**ON_CPU.precisions, "tensorrt": {"tf32": "fp32"}})
USED = "MPS already runs for somebody else"


@pytest.fixture
def refusal(monkeypatch):
    """Set why MPS is not ours to switch; it is unless told otherwise."""

    def refuse(why):
        monkeypatch.setattr(mps, "refusal", lambda: why)

    refuse(None)
    return refuse


@pytest.mark.usefixtures("refusal")
def test_mps_is_a_choice_where_there_is_an_nvidia_gpu():
    """It is off unless a configuration says so; elsewhere there is nothing to choose or to say."""
    about = venue._with_mps(ON_GPU)
    assert (about.mps, about.usual.mps, about.notes) == ((False, True), False, ())
    assert venue._with_mps(ON_CPU) == ON_CPU


def test_mps_of_somebody_else_is_no_choice_and_one_sentence_says_why(refusal):
    """The search is told nothing of it."""
    refusal(USED)
    about = venue._with_mps(ON_GPU)
    assert (about.mps, about.usual.mps, about.no_mps) == ((None,), None, USED)
    assert about.notes == (f"MPS is not searched: {USED}.",)


def test_only_providers_with_a_memory_of_their_own_keep_inputs_there():
    """Where there is none, the message names those that there could be."""
    assert subject._on_device(ON_GPU.precisions) == {"tensorrt": {"tf32": "fp32"}}
    with pytest.raises(MachineError, match=r"onnxruntime-cuda, .*none is usable here"):
        subject._on_device(ON_CPU.precisions)


def test_the_check_up_says_who_has_mps(refusal, tmp_path):
    """On a machine that has a GPU to share."""
    assert list(doctor._mps(tmp_path)) == []
    root = machines.write(tmp_path, {"etc/nv_tegra_release": "# R36"})
    (check,) = doctor._mps(root)
    assert (check.area, check.name, check.status) == ("runtimes", "mps", "ok")
    refusal(USED)
    (check,) = doctor._mps(root)
    assert (check.status, check.detail) == ("absent", USED)
