"""What the panes show, as lines: without Textual."""

import pytest
from conftest import MIDWAY, recorded_news
from rich.cells import cell_len

from autotuner.core.config import Config
from autotuner.core.events import TrialDone
from autotuner.core.outcome import Failed
from tui import figures, paint
from tui.chart import Point, draw, scale
from tui.glyphs import ASCII, BRAILLE, choose
from tui.news import Happened, take
from tui.panes import banner, box, gauges, log, profile, scatter, search, trial, trials
from tui.recorded import happened
from tui.session import Session

SIZES = [(w, h) for w in (10, 24, 40, 63, 100, 180) for h in (1, 3, 8, 30)]


def session_at(upto, glyphs=BRAILLE):
    """Return the session after event *upto* of the recorded job."""
    session = Session(glyphs=glyphs, box="edge-01")
    for news in recorded_news(upto):
        take(session, news)
    session.now = session.job.last_t + 1.4 if session.job else 0.0
    return session


def everything(session, width, height):
    """Return the lines of every pane for this size."""
    yield from banner.banner(session, "dashboard", {}, width)
    yield from gauges.gauges(session, width, height)
    yield from search.search(session, width, height)
    yield from scatter.scatter(session, width, height)
    yield trials.heading(session, width)
    yield from trials.rows(session, session.rows(), 0, 1, width, height)
    yield from log.latest(session, width, height)
    yield from log.log(session, width, height)
    yield from trial.detail(session, session.chosen_trial(), width)
    yield from profile.rows(session, 0, width, height)
    yield from profile.evidence(session, width)
    yield from box.box(session, width)
    yield from box.readings(session, width)


def text_of(lines):
    """Return the text of *lines*."""
    return "\n".join("".join(piece.text for piece in line) for line in lines)


@pytest.mark.parametrize("upto", [-1, 0, 1, MIDWAY, 1000])
def test_no_line_is_wider_than_its_pane(upto):
    """Whatever the size and the moment, nothing runs over the border."""
    session = session_at(upto)
    for width, height in SIZES:
        if width < 40:
            lines = [*search.search(session, width, height), *gauges.gauges(session, width, height)]
        else:
            lines = everything(session, width, height)
        for line in lines:
            assert paint.width_of(line) <= max(width, 40), (width, height, line)


def test_ascii_is_ascii():
    """A terminal that knows ASCII only gets nothing else."""
    session = session_at(1000, ASCII)
    for width in (40, 120):
        text_of(everything(session, width, 20)).encode("ascii")


@pytest.mark.parametrize(
    ("environment", "encoding", "name"),
    [
        ({"TERM": "xterm-256color"}, "UTF-8", "braille"),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", "ascii"),
        ({"TERM": "linux"}, "utf-8", "block"),
        ({"TERM": "dumb"}, "utf-8", "ascii"),
    ],
)
def test_glyphs_suit_the_terminal(environment, encoding, name):
    """Locale and terminal decide how rich the characters are."""
    assert choose("auto", environment, encoding).name == name


def test_the_search_says_what_runs_and_why():
    """Best, baseline, the present trial and its reason stand on the page."""
    text = text_of(search.search(session_at(MIDWAY), 60, 12))
    for words in ("288.6/s", "212.5/s", "1.36x", "batch 1, 3 workers", "expected improvement"):
        assert words in text


def test_what_takes_long_says_for_how_long():
    """A long build or calibration shows what it does and since when."""
    session = session_at(MIDWAY)
    session.now += 100.0
    assert "1:41" in text_of(search.search(session, 60, 12))


def test_unknown_is_never_zero():
    """What was not measured is two dashes."""
    assert [figures.rate(None), figures.percent(None).strip()] == ["--/s", "-- %"]


@pytest.mark.parametrize("value", [0.0004, 0.5, 9.999, 50.0, 123.45, 9999.4, 123456.0, 9.9e7])
def test_figures_keep_their_width(value):
    """A number takes the columns of its cell, however large it is."""
    assert len(figures.number(value, 6)) == 6


def test_many_cpus_share_a_line():
    """Where the lines do not suffice the CPUs stand side by side with their mean."""
    session = session_at(MIDWAY)
    text = text_of(gauges.gauges(session, 40, 7))
    assert "6 cpus" in text
    assert "cpu0" not in text
    assert "cpu0" in text_of(gauges.gauges(session, 40, 20))


def test_a_silent_sensor_says_why():
    """A value that could not be had comes with its reason."""
    assert "no fan tachometer" in text_of(box.readings(session_at(MIDWAY), 100))


def test_a_failed_trial_shows_what_the_worker_said():
    """The detail of a failed trial is the worker's own word."""
    session = session_at(MIDWAY)
    failed = Failed("crashed", "the worker ended with signal 11: Segmentation fault")
    done = TrialDone(phase="search", number=99, config=Config(workers=64), outcome=failed)
    take(session, Happened(job=session.job.job, n=26, t=session.now, event=done))
    session.trial = session.job.trials[-1].key
    text = text_of(trial.detail(session, session.chosen_trial(), 80))
    assert "Segmentation fault" in text
    assert "not measured" in text


def test_the_plot_puts_points_where_they_belong():
    """More throughput is higher, more latency further right; a click on a point finds it."""
    points = [
        Point(x=1.0, y=10.0, mark="a", ink="", target="trial:1"),
        Point(x=9.0, y=90.0, mark="b", ink="", target="trial:2"),
    ]
    lines = draw(points, [], 5.0, (40, 12), BRAILLE)
    places = {
        piece.text: (y, paint.width_of(line[:i]), piece.target)
        for y, line in enumerate(lines)
        for i, piece in enumerate(line)
        if piece.text in {"a", "b"}
    }
    assert places["a"][0] > places["b"][0]
    assert places["a"][1] < places["b"][1]
    assert places["b"][2] == "trial:2"
    assert {cell_len("".join(p.text for p in line)) for line in lines[:10]} == {39}


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.0), (0.001, 0.002), (3.0, 200.0), (1e-6, 1e9), (0.0, 5.0)]
)
def test_ticks_lie_on_the_scale(low, high):
    """Every tick lies within the plot, and there are not too many."""
    found = scale([low, high], may_be_log=True)
    ticks = found.ticks(5)
    assert len(ticks) <= 6
    assert all(-0.01 <= found.at(tick) <= 1.01 for tick in ticks)


@pytest.mark.parametrize("size", [(0, 0), (5, 2), (9, 3), (30, 4)])
def test_a_plot_without_room_is_no_error(size):
    """A tiny pane shows what it can."""
    draw([Point(x=1.0, y=1.0, mark="a", ink="")], [(1.0, 1.0), (2.0, 2.0)], 3.0, size, BRAILLE)


def test_text_is_wrapped_and_cut_by_columns():
    """Wide characters count as the columns they take."""
    assert paint.wrap("a 宽宽宽宽 b", 4) == ["a", "宽宽", "宽宽", "b"] or all(
        cell_len(part) <= 4 for part in paint.wrap("a 宽宽 b", 4)
    )
    assert paint.width_of(paint.fit([paint.Piece("宽宽宽")], 4, BRAILLE)) <= 4


@pytest.mark.parametrize("name", ["record_done", "cache_done", "working", "note"])
def test_every_kind_of_event_has_words(name):
    """A job without trials can be watched too."""
    fields = {
        "record_done": {"model": "m", "path": "/r", "configs": 3, "elapsed_s": 1.0},
        "cache_done": {},
        "working": {"what": "TensorRT", "step": "building the engine", "done": 3, "total": 9},
        "note": {"text": "take care"},
    }[name]
    session = session_at(-1)
    take(session, happened({"job": "j", "n": 0, "t": 5.0, "event": name, **fields}))
    session.now = 100.0
    text = text_of([*search.search(session, 70, 20), *log.log(session, 80, 20)])
    words = {"record_done": "record done", "working": "building the engine 3 of 9  1:35"}
    assert words.get(name, "") in text


def test_an_engine_that_is_built_for_a_trial_is_told():
    """Beside the trial that waits for it, and in the log, with the time that it has taken."""
    session = session_at(MIDWAY)
    fields = {"what": "batch 8", "step": "building the engine", "elapsed_s": 42.0}
    event = {"job": session.job.job, "n": session.job.next, "t": session.job.last_t + 42.0}
    take(session, happened({**event, "event": "working", **fields}))
    told = "batch 8: building the engine, 42 s so far"
    shown = search.search(session, 60, 12)
    assert told in text_of(shown)
    assert "expected improvement" in text_of(shown)
    assert max(map(paint.width_of, shown)) <= 60
    assert told in text_of(log.log(session, 80, 20))
