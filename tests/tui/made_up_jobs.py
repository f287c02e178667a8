"""Jobs as their events tell them."""

from autotuner.core.config import Config
from autotuner.core.events import TrialDone, TrialStarted
from autotuner.core.outcome import Measurement
from tui.news import take
from tui.recorded import happened
from tui.session import Session
from tui.state import JobView


def view_of(lines):
    """Return the view of a job whose record has these lines."""
    session = Session()
    for line in lines:
        take(session, happened(line))
    return session.job


def view_with(*throughputs_and_latencies):
    """Return a view with one search trial for each pair, in this order."""
    view = JobView(job="j")
    for throughput, latency in throughputs_and_latencies:
        add_trial(view, throughput, latency)
    return view


def add_trial(view, throughput, latency, **config):
    """Add a trial of the search to *view*; its batch size is its number from 1 on."""
    number = len(view.trials)
    config = Config(**{"batch_size": number + 1, **config})
    outcome = Measurement(throughput_ips=throughput, p99_ms=latency)
    begin_trial(view, config)
    done = TrialDone(phase="search", number=number, config=config, outcome=outcome)
    view.take(view.next, view.last_t + 0.5, done)


def begin_trial(view, config):
    """Add a trial of *config* to *view* that runs."""
    begun = TrialStarted(phase="search", number=len(view.trials), config=config)
    view.take(view.next, float(view.next), begun)
