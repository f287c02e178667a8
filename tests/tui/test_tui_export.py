"""What is taken home from a job."""

import csv
import json

from conftest import recorded_news

from autotuner.core.outcome import Failed
from tui import export
from tui.news import Happened


def events(upto=1000):
    """Return the recorded job's events up to number *upto*."""
    news = [n for n in recorded_news(upto) if isinstance(n, Happened)]
    return [(n.n, n.t, n.event) for n in news]


def rows_in(folder):
    """Return the rows of the table in *folder* by column."""
    return list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))


def test_every_trial_is_a_row_and_a_document(tmp_path):
    """Both files have all trials, with what was measured and when."""
    answer = export.write(events(), tmp_path)
    assert (answer.done, "22 trials" in answer.text) == (True, True)
    rows = rows_in(tmp_path)
    documents = json.loads((tmp_path / "trials.json").read_text())
    assert len(rows) == len(documents) == 22
    assert [row["p99_ms"] for row in rows] == [str(d["outcome"]["p99_ms"]) for d in documents]
    assert {row["workers"] for row in rows} == {str(d["config"]["workers"]) for d in documents}


def test_what_still_runs_is_written_without_an_outcome(tmp_path):
    """The trial in hand is a row too; what is not known is left empty."""
    export.write(events(3), tmp_path)
    rows = rows_in(tmp_path)
    assert [(row["phase"], row["throughput_ips"] != "") for row in rows] == [
        ("baseline", True),
        ("search", False),
    ]
    assert json.loads((tmp_path / "trials.json").read_text())[1]["outcome"] is None


def test_a_failed_trial_has_its_reason(tmp_path):
    """In the table stands why there are no figures, and the document has the worker's word."""
    told = events(2)
    n, t, done = told[-1]
    failed = type(done)(phase=done.phase, config=done.config, outcome=Failed("oom", "killed"))
    export.write([*told[:-1], (n, t, failed)], tmp_path)
    (row,) = rows_in(tmp_path)
    assert (row["failed"], row["p99_ms"]) == ("oom", "")
    (document,) = json.loads((tmp_path / "trials.json").read_text())
    assert document["outcome"] == {"reason": "oom", "detail": "killed"}


def test_a_job_without_trials_is_an_empty_list(tmp_path):
    """There is always a table with its heading."""
    assert export.write([], tmp_path).done
    assert json.loads((tmp_path / "trials.json").read_text()) == []


def test_a_folder_that_is_gone_is_told(tmp_path):
    """What could not be written is said in words."""
    answer = export.write(events(), tmp_path / "gone")
    assert (answer.done, answer.text.startswith("Not everything")) == (False, True)


def test_the_first_place_that_can_be_written_is_taken(tmp_path):
    """Where the present folder is read-only the next one serves."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert export.folder("j", (blocked, tmp_path)) == tmp_path / "autotune-j"
