from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from autotuner.core import Constraint, Dimension, Measurement, Objective, SearchSpace
from autotuner.core.encoding import encode
from autotuner.core.errors import StateError
from autotuner.search import Search, search, stored_facts

SPACE = SearchSpace(
    [
        Dimension("batch_size", (1, 2, 4, 8), ordered=True),
        Dimension("workers", (1, 2, 3), ordered=True),
    ]
)
OBJECTIVE = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=40.0)])

VICTIM = """
import sys
from tests_storage import OBJECTIVE, SPACE, measured
from autotuner.search import Search

with Search(SPACE, OBJECTIVE, storage=sys.argv[1], fingerprint="box") as study:
    while True:
        trial = study.ask()
        study.tell(trial, measured(trial.config))
        print(trial.number, flush=True)
"""


def measured(config):
    """Return an exact measurement."""
    service_ms = 2.0 + config["batch_size"]
    return Measurement(
        throughput_ips=1000.0 * config["workers"] * config["batch_size"] / service_ms,
        p99_ms=service_ms * config["workers"],
    )


@pytest.fixture
def file(tmp_path):
    """Return the path of a study that does not exist yet."""
    return tmp_path / "study.db"


@pytest.fixture
def url(file):
    """Return the storage URL of the file."""
    return f"sqlite:///{file}"


def run(url, trials, **options):
    """Run *trials* trials in the study at *url* and return all of its trials."""
    with Search(SPACE, OBJECTIVE, storage=url, **options) as study:
        for _ in range(trials):
            trial = study.ask()
            study.tell(trial, measured(trial.config))
        return study.trials()


def tell_for_ever(study):
    """Run trials of *study* until something stops them."""
    while True:
        trial = study.ask()
        study.tell(trial, measured(trial.config))


def test_a_study_is_resumed_where_it_ended(url):
    """A second process knows every trial of the first, and goes on."""
    before = run(url, 5)
    after = run(url, 2)
    assert [t.config for t in after[:5]] == [t.config for t in before]
    assert [t.outcome for t in after[:5]] == [t.outcome for t in before]
    assert len(after) == 7


def test_a_kill_loses_no_told_trial_and_frees_the_running_one(url, tmp_path):
    """After kill -9 every acknowledged trial is there, and no trial runs for ever."""
    (tmp_path / "tests_storage.py").write_text(Path(__file__).read_text())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    for _ in range(3):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, url],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        told = [int(victim.stdout.readline()) for _ in range(3)]
        victim.send_signal(signal.SIGKILL)
        told += [int(line) for line in victim.stdout.read().split()]
        victim.stdout.close()
        victim.wait()
        assert set(told) <= {trial.number for trial in run(url, 0, fingerprint="box")}
    stored = optuna.load_study(study_name="search", storage=url)
    states = {trial.state for trial in stored.trials}
    assert optuna.trial.TrialState.RUNNING not in states


def test_a_running_trial_with_a_whole_outcome_is_completed(url):
    """A process that died between storing and telling loses nothing."""
    study = Search(SPACE, OBJECTIVE, storage=url)
    trial = study.ask()
    study._running[trial.number].set_user_attr("outcome", encode(measured(trial.config)))
    study._running.clear()
    study.close()
    (recovered,) = run(url, 0)
    assert recovered.outcome == measured(trial.config)


def test_facts_of_the_same_fingerprint_are_found_once(url):
    """Facts of every study of a fingerprint are found, imported copies are not."""
    run(url, 3, fingerprint="box", name="one")
    run(url, 2, fingerprint="other", name="two")
    facts = stored_facts(url, fingerprint="box")
    assert len(facts) == 3
    with Search(SPACE, OBJECTIVE, storage=url, name="three", fingerprint="box") as study:
        study.import_trials(facts)
        assert {trial.why for trial in study.trials()} == {"imported"}
    assert stored_facts(url, fingerprint="box") == facts


def test_a_damaged_file_is_named(url, file):
    """A file that is no database is reported with what to do."""
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(StateError, match=r"study\.db is damaged.*move it away"):
        Search(SPACE, OBJECTIVE, storage=url)


def test_a_torn_file_is_named(url, file):
    """A database that lost half of itself is reported, whenever that shows."""
    run(url, 5)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StateError, match="is damaged"):
        run(url, 1)


def test_a_missing_folder_is_named(tmp_path):
    """A folder that does not exist is reported as such."""
    with pytest.raises(StateError, match="cannot be opened; check that its folder exists"):
        Search(SPACE, OBJECTIVE, storage=f"sqlite:///{tmp_path / 'no' / 'study.db'}")


def test_a_url_of_no_known_kind_is_refused():
    """A storage that nobody knows is reported, not a traceback."""
    with pytest.raises(StateError, match="cannot be opened"):
        Search(SPACE, OBJECTIVE, storage="nosuchthing:///x")


def test_a_study_of_a_newer_version_is_refused(url):
    """Nobody writes into a study whose form he does not know."""
    run(url, 1)
    optuna.load_study(study_name="search", storage=url).set_user_attr("schema", 99)
    with pytest.raises(StateError, match="newer version"):
        Search(SPACE, OBJECTIVE, storage=url)


def test_a_full_disk_is_reported_and_what_was_told_stays(url):
    """When the database cannot grow any more, the message says so."""
    run(url, 2)
    study = Search(SPACE, OBJECTIVE, storage=url)
    engine = study._storage.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    engine.dispose()
    sqlalchemy.event.listen(
        engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages}")
    )
    with pytest.raises(StateError, match="full disk; free some space"):
        tell_for_ever(study)
    engine.dispose()
    study._running.clear()
    study.close()
    assert len(run(url, 0)) >= 2


def test_the_study_is_readable_for_a_dashboard(url):
    """Metric, constraints with units, and real values stand in the study."""
    run(url, 1)
    stored = optuna.load_study(study_name="search", storage=url)
    (trial,) = stored.trials
    assert stored.metric_names == ["throughput_ips"]
    assert stored.user_attrs["objective"] == "maximize throughput_ips with p99_ms <= 40"
    assert set(trial.constraints) == {"p99_ms <= 40", "ran"}
    assert trial.user_attrs["config"] in [json.loads(json.dumps(c)) for c in SPACE.configs]


def test_a_resumed_search_counts_the_trials_that_were_done(url):
    """The limit of trials holds over restarts."""
    search(SPACE, measured, OBJECTIVE, max_trials=4, storage=url)
    result = search(SPACE, measured, OBJECTIVE, max_trials=6, storage=url)
    assert len(result.trials) == 6
