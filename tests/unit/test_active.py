from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_profiles import here, proven
from power_machines import CPU, lay_out, personal_computer, read, snapshot

from autotuner import active, store
from autotuner.active import ActiveProfile, Sites
from autotuner.core.errors import InputError, MachineError, StateError
from autotuner.host.power import PowerError
from autotuner.lock import HostLock

GOVERNOR = f"{CPU}/cpufreq/policy0/scaling_governor"
HERE = here()


@pytest.fixture
def sites(tmp_path):
    """Return the places of a pretended machine."""
    (tmp_path / "state").mkdir()
    return Sites(
        state=tmp_path / "state",
        published=tmp_path / "run/active",
        lock=tmp_path / "lock",
        root=lay_out(tmp_path / "root", personal_computer()),
    )


@pytest.fixture
def box(sites):
    """Return the profile in force of that machine; there is none yet."""
    return ActiveProfile(sites)


def profile(tmp_path, *, mode="performance", **changes):
    """Return a proven profile of this machine."""
    model = tmp_path / "net.onnx"
    model.touch()
    return proven(model, mode=mode, **changes)


@pytest.fixture
def kept(sites, tmp_path):
    """Keep a profile in the store and return its name."""

    def keep(**changes):
        return store.ProfileStore(sites.state / "profiles").save(profile(tmp_path, **changes)).stem

    return keep


def test_a_profile_is_applied_and_read_back(box, sites, kept):
    """The power mode is set, and all stands as it was applied."""
    standing = box.apply(kept(), by="me")
    assert read(sites.root, GOVERNOR) == "performance"
    assert standing.verified
    assert box.standing() == standing
    assert (standing.applied.by, standing.applied.power_mode) == ("me", "performance")


def test_the_serving_part_is_published(box, sites, kept):
    """As the profile itself and as an environment file."""
    name = kept()
    box.apply(name, by="me")
    assert store.read(sites.published / "profile.yaml").name == name
    lines = (sites.published / "autotune.env").read_text().splitlines()
    assert {'AUTOTUNE_BATCH_SIZE="4"', 'AUTOTUNE_WORKERS="2"'} <= set(lines)


def test_restoring_puts_everything_back(box, sites, kept):
    """Also what another profile had set before; nothing is in force then."""
    before = snapshot(sites.root)
    box.apply(kept(), by="me")
    box.apply(kept(mode="powersave"), by="me")
    assert read(sites.root, GOVERNOR) == "powersave"
    box.restore()
    assert snapshot(sites.root) == before
    assert box.standing() is None
    assert not sites.published.exists()
    box.restore()  # does no harm


def test_the_present_mode_undoes_an_earlier_profile(box, sites, kept):
    """A profile that leaves the machine alone finds it as it was."""
    before = snapshot(sites.root)
    box.apply(kept(), by="me")
    box.apply(kept(mode="present"), by="me")
    assert snapshot(sites.root) == before
    assert not (sites.state / "applied-power.json").exists()


def test_what_somebody_else_changed_is_named(box, sites, kept):
    """The setting, its value then and now."""
    box.apply(kept(), by="me")
    lay_out(sites.root, {GOVERNOR: "powersave"})
    standing = box.standing()
    assert not standing.verified
    (difference,) = standing.differences
    assert all(word in difference for word in (GOVERNOR, "performance", "powersave"))


def test_missing_files_are_named(box, sites, kept, tmp_path):
    """The model's and the published one."""
    box.apply(kept(mode="present"), by="me")
    (tmp_path / "net.onnx").unlink()
    (sites.published / "autotune.env").unlink()
    assert len(box.standing().differences) == 2


def test_after_a_boot_it_is_applied_again(box, sites, kept, monkeypatch):
    """Until then it does not stand; the former boot's originals are not this one's."""
    box.apply(kept(), by="me")
    monkeypatch.setattr(active, "_boot_id", lambda: "another")
    monkeypatch.setattr(active, "Journal", lambda path: _journal(path, "another"))
    lay_out(sites.root, {GOVERNOR: "userspace"})
    assert box.standing().differences == ("It was applied before the last boot and not since.",)
    assert box.reapply().verified
    assert read(sites.root, GOVERNOR) == "performance"
    kept_state = json.loads((sites.state / "applied-power.json").read_text())
    assert kept_state["values"][GOVERNOR] == "userspace"


def _journal(path, boot_id, journal=active.Journal):
    return journal(path, boot_id=boot_id)


def test_nothing_in_force_is_nothing_to_apply_again(box):
    """At a boot without a profile."""
    assert box.reapply() is None
    assert box.standing() is None


def test_a_mode_that_is_not_reached_leaves_the_machine_as_it_was(box, sites, kept):
    """And no profile in force, not even an earlier one."""
    before = snapshot(sites.root)
    box.apply(kept(), by="me")
    with pytest.raises(PowerError, match="no power mode 'turbo'"):
        box.apply(kept(mode="turbo"), by="me")
    assert snapshot(sites.root) == before
    assert box.standing() is None
    assert not sites.published.exists()


def test_what_fails_at_boot_is_tried_again(box, sites, kept, monkeypatch):
    """A driver that comes up late must not cost the profile."""
    box.apply(kept(), by="me")
    monkeypatch.setattr(active, "_boot_id", lambda: "another")
    lay_out(sites.root, personal_computer())
    governor = sites.root / GOVERNOR.lstrip("/")
    governor.unlink()
    governor.symlink_to("/dev/null")
    for _ in range(2):
        with pytest.raises(PowerError, match="was not reached"):
            box.reapply()
    assert not box.standing().verified
    governor.unlink()
    lay_out(sites.root, {GOVERNOR: "schedutil"})
    assert box.reapply().verified


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "interrupted"}, "interrupted"),
        ({"fingerprint": replace(HERE, device="Another Board")}, "another device"),
        ({"fingerprint": replace(HERE, memory_gib=1)}, "another memory_gib"),
    ],
)
def test_what_is_not_fit_for_this_box_takes_force(box, kept, changes, why):
    """And why is said."""
    name = kept(mode="present", **changes)
    with pytest.raises(InputError, match=why):
        box.apply(name, by="me")
    assert box.standing() is None
    assert box.apply(name, by="me", force=True).verified


def test_a_simulated_profile_is_never_put_in_force(box, kept):
    """Whoever insists."""
    name = kept(mode="present", simulated="jetson-tx2")
    with pytest.raises(InputError, match="simulated device"):
        box.apply(name, by="me", force=True)
    assert box.standing() is None


def test_a_model_stands_for_its_newest_proven_profile(box, kept, tmp_path):
    """By name or by path."""
    name = kept(mode="present")
    assert box.apply(None, model="net", by="me").applied.profile == name
    assert box.apply(None, model=str(tmp_path / "net.onnx"), by="me").applied.profile == name
    with pytest.raises(InputError, match="no proven profile of 'other'"):
        box.apply(None, model="other", by="me")


def test_either_a_profile_or_a_model_is_named(box):
    """Not both and not neither."""
    with pytest.raises(InputError, match="Say which"):
        box.apply(None, by="me")
    with pytest.raises(InputError, match="Say which"):
        box.apply("a", model="b", by="me")


def test_a_profile_from_elsewhere_is_copied(box, sites, tmp_path):
    """What is in force must not vanish with a user's folder."""
    path = store.write(profile(tmp_path, mode="present"), tmp_path / "elsewhere.yaml")
    applied = box.apply(str(path), by="me").applied
    path.unlink()
    assert applied.path.startswith(str(sites.state / "profiles"))
    assert box.standing().verified


def test_while_a_job_measures_nothing_is_changed(box, sites, kept):
    """Neither applied nor restored; the message says who is at it."""
    name = kept()
    with HostLock(sites.lock) as host:
        assert host.acquire()
        for change in (lambda: box.apply(name, by="me"), box.restore):
            with pytest.raises(MachineError, match="A job measures"):
                change()
    assert box.standing() is None


def test_a_damaged_record_is_moved_aside(box, sites, kept):
    """Nothing is in force, and one can apply again."""
    box.apply(kept(mode="present"), by="me")
    (sites.state / "applied.json").write_text("{")
    assert box.standing() is None
    assert (sites.state / "applied.damaged").read_text() == "{"
    assert box.apply(kept(mode="present"), by="me").verified


def test_a_state_folder_that_cannot_be_written_applies_nothing(box, sites, kept):
    """The originals could not be kept."""
    before = snapshot(sites.root)
    name = kept()
    (sites.state / "applied-power.json").mkdir()
    with pytest.raises((StateError, OSError)):
        box.apply(name, by="me")
    assert snapshot(sites.root) == before
