from __future__ import annotations

import errno
import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from core_values import profiles, quickly
from hypothesis import assume, given
from made_profiles import proven

from autotuner import store
from autotuner.core.errors import InputError, StateError
from autotuner.core.fingerprint import Fingerprint
from autotuner.store import ProfileStore

PROFILE = proven(Path("/models/net.onnx"))


def named(name):
    """Return a profile of a model called *name*."""
    return replace(PROFILE, model=replace(PROFILE.model, name=name))


@pytest.fixture
def kept(tmp_path):
    """Return an empty store whose folder is not there yet."""
    return ProfileStore(tmp_path / "profiles")


def test_a_profile_comes_back_as_it_was_kept(kept):
    """Every field of it, from a file that is called as the profile is."""
    path = kept.save(PROFILE)
    assert path == kept.folder / f"{PROFILE.name}.yaml"
    assert store.read(path) == PROFILE


@quickly
@given(profiles)
def test_any_profile_survives_the_disk(tmp_path_factory, profile):
    """Names in any script too; figures keep six digits, so a second round changes nothing."""
    assume("\\x85" not in repr(profile))  # PyYAML folds this control character into a space
    path = tmp_path_factory.mktemp("kept") / "profile.yaml"
    once = store.read(store.write(profile, path))
    assert store.read(store.write(once, path)) == once
    assert once.model == profile.model
    assert once.winner.config == profile.winner.config


def test_a_person_can_read_it(kept):
    """A heading, one field a line in the order of the profile, no tags of Python."""
    text = kept.save(PROFILE).read_text()
    assert text.startswith("# A profile of edge-autotune")
    assert "\nschema: 1\nstatus: proven\n" in text
    assert "!!" not in text


def test_it_replaces_the_profile_of_the_same_name(kept):
    """One file for each model, objective and fingerprint."""
    kept.save(PROFILE)
    kept.save(replace(PROFILE, status="interrupted"))
    (path,) = kept.paths()
    assert store.read(path).status == "interrupted"


def test_a_full_disk_leaves_the_old_profile(kept, monkeypatch):
    """The error says what to do, and no half-written file stays."""
    path = kept.save(PROFILE)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left on device; free some space"):
        kept.save(replace(PROFILE, status="interrupted"))
    assert store.read(path) == PROFILE
    assert list(kept.folder.iterdir()) == [path]


def test_a_store_without_a_folder_is_empty(kept):
    """Looking makes nothing."""
    assert kept.paths() == []
    assert not kept.folder.exists()


def test_the_newest_comes_first_and_temporary_files_do_not_count(kept):
    """A killed writer may leave a temporary file behind; it is no profile."""
    old, new = kept.save(named("old")), kept.save(named("new"))
    os.utime(old, (1, 1))
    (kept.folder / f".{new.name}.x7f_q2").write_text("half a pro")
    assert kept.paths() == [new, old]


def test_a_profile_is_found_by_path_stem_or_beginning(kept):
    """The whole stem wins over longer ones that begin with it."""
    path, longer = kept.save(PROFILE), kept.save(named("network"))
    assert kept.find(str(path)) == path
    assert kept.find(path.stem) == path
    assert kept.find(path.name) == path
    assert kept.find("netw") == longer
    assert kept.find("net_") == path


def test_a_name_that_fits_several_is_refused_with_the_choices(kept):
    """Nothing is removed by chance."""
    stems = [kept.save(named(name)).stem for name in ("net", "network")]
    with pytest.raises(InputError, match="write more of the name") as caught:
        kept.find("net")
    assert all(stem in str(caught.value) for stem in stems)


@pytest.mark.parametrize("name", ["unknown", "", "../profiles/x"])
def test_a_name_that_fits_none_is_refused_with_the_way_to_the_list(kept, name):
    """The message says what was looked for and where the names are."""
    with pytest.raises(InputError, match=r"There is no profile .*`autotune profiles` lists them"):
        kept.find(name)


def test_only_readable_profiles_of_the_fingerprint_match(kept):
    """A damaged one beside them does no harm."""
    kept.save(PROFILE)
    other = Fingerprint(model_sha256="cd")
    kept.save(replace(PROFILE, fingerprint=other))
    (kept.folder / "damaged.yaml").write_text("{")
    assert list(kept.matching(other)) == [replace(PROFILE, fingerprint=other)]
    assert list(kept.matching(Fingerprint(model_sha256="ef"))) == []


def test_a_proven_profile_is_told_from_the_others(kept):
    """It is what an interrupted run must not replace."""
    assert kept.proven(PROFILE.name) is None
    path = kept.save(PROFILE)
    assert kept.proven(PROFILE.name) == path
    kept.save(replace(PROFILE, status="interrupted"))
    assert kept.proven(PROFILE.name) is None
    path.write_text("{")
    assert kept.proven(PROFILE.name) is None


def test_a_removed_profile_is_gone(kept):
    """And removing it once more is an error with a reason."""
    path = kept.save(PROFILE)
    kept.remove(path)
    assert kept.paths() == []
    with pytest.raises(StateError, match="cannot be removed: No such file"):
        kept.remove(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no schema number"),
        (b"[1, 2]", "no schema number"),
        (b"schema: one", "no schema number"),
        (b"schema: true", "no schema number"),
        (b"status: proven", "no schema number"),
        (b"schema: 1\n", "is damaged: .* is missing"),
        (b"schema: 1\nspeed: 7\n", "is damaged: speed is not known here"),
        (b"schema: 0\n", "no schema number"),
        (b"a: [1", "cannot be read: it is no YAML"),
        (b"\xff\xfe\x00", "cannot be read: it is no YAML"),
        (b"schema: !!python/object:os.system {}", "cannot be read: it is no YAML"),
        (b"a: &a [*a]\nschema: 1", "is damaged"),
        (b"[" * 50_000, "cannot be read: it is no YAML"),
    ],
    ids=itertools.count(),  # a name of kilobytes would fill every log
)
def test_a_damaged_profile_says_where_and_what_to_do(tmp_path, content, reason):
    """Whatever the file holds, it is one sentence and never another exception."""
    path = tmp_path / "profile.yaml"
    path.write_bytes(content)
    with pytest.raises(StateError, match=f"profile.yaml.*{reason}") as caught:
        store.read(path)
    assert "`autotune profiles rm" in str(caught.value)


def test_a_profile_that_was_cut_is_never_taken_for_another_one(kept):
    """It is refused, or the cut took only a part of the fingerprint, which comes last."""
    path = kept.save(PROFILE)
    whole = path.read_bytes()
    refused = 0
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        try:
            cut = store.read(path)
        except StateError:
            refused += 1
        else:
            assert replace(cut, fingerprint=PROFILE.fingerprint) == PROFILE
    assert refused > 0.9 * len(whole) / 7


def test_a_missing_profile_is_an_error_of_the_disk(tmp_path):
    """It may have been removed since it was listed."""
    with pytest.raises(StateError, match="cannot be read: No such file"):
        store.read(tmp_path / "profile.yaml")


def test_a_profile_of_a_newer_version_is_refused_unread(kept):
    """Its fields may mean something else; the message says which version is needed."""
    path = kept.save(PROFILE)
    data = {**yaml.safe_load(path.read_text()), "schema": 2, "tomorrow": True}
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(StateError, match=r"schema 2 .* install a newer edge-autotune"):
        store.read(path)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    """A file may lie where the folder should be."""
    (tmp_path / "profiles").write_text("")
    with pytest.raises(StateError, match=r"cannot be written to .*choose another folder"):
        store.write(PROFILE, tmp_path / "profiles" / "out" / "profile.yaml")
    assert Path(tmp_path / "profiles").is_file()
