"""The last word on the plain terminal."""

import pytest
from conftest import MIDWAY, stamped_lines
from made_up_jobs import view_of

from autotuner.core.events import JobFailed
from tui.farewell import exit_status, farewell
from tui.session import Session
from tui.state import JobView


def test_a_job_that_goes_on_says_how_to_come_back():
    """Leaving touches nothing, and that is said with the commands for later."""
    session = Session(job=view_of(stamped_lines()[:MIDWAY]))
    words = farewell(session)
    assert f"The job {session.job.job} goes on." in words
    assert "autotune tui" in words
    assert exit_status(session) == 0


def test_a_job_that_has_ended_says_what_it_found():
    """Winner, figures and profile stand there, with the next command where it is proven."""
    session = Session(job=view_of(stamped_lines()))
    words = farewell(session)
    assert "Winner:  batch 1, 2 workers" in words
    assert "autotune apply squeezenet_throughput_ips_p99_ms-50_724b5fb636b5" in words
    assert exit_status(session) == 0


@pytest.mark.parametrize(("interrupted", "status"), [(True, 130), (False, 1)])
def test_a_job_that_failed_gives_its_status(interrupted, status):
    """A wish is told from a fault."""
    view = JobView(job="j")
    view.take(0, 0.0, JobFailed(message="It broke.", interrupted=interrupted))
    session = Session(job=view)
    assert (farewell(session), exit_status(session)) == ("It broke.", status)


def test_without_a_job_nothing_is_said():
    """Who saw nothing is told nothing."""
    assert (farewell(Session()), exit_status(Session())) == ("", 0)
