from __future__ import annotations

import asyncio
import contextlib

import pytest
from fake_jobs import note, told, until, working

from autotuner.core.errors import InputError
from autotuner.daemon.keeper import PRIORITY, Keeper
from autotuner.settings import KeptModel, Settings, TuningSettings

MODEL = KeptModel(model="/srv/net.onnx", max_latency="50ms", apply=True)
SETTINGS = Settings(models=(MODEL,), tuning=TuningSettings(recheck_days=2.0))
DAY_S = 86_400.0


class Active:
    """Remembers what was put in force; refuses when it was told to."""

    def __init__(self):
        self.applied = []
        self.refuses = False

    def apply(self, profile, *, by):
        """Put a profile in force."""
        if self.refuses:
            raise InputError("not fit")
        self.applied.append((profile, by))


class Story:
    """A keeper, its queue, and a clock that the test sets."""

    def __init__(self, tmp_path, queue, launcher, settings=SETTINGS):
        self.now = 1000.0
        self.waits = ()
        self.active = Active()
        self.queue = queue
        self.launcher = launcher
        self.profile = tmp_path / "profile.yaml"
        self.profile.touch()
        self.keeper = Keeper(
            settings=settings,
            queue=queue,
            active=self.active,
            path=tmp_path / "kept.json",
            may_work=lambda: self.waits,
            clock=lambda: self.now,
        )

    @property
    def standing(self):
        """How the one model stands."""
        (standing,) = self.keeper.standings.values()
        return standing

    async def carry_out(self, ending):
        """Let the job that the keeper submitted end like this; return its request."""
        self.keeper.look()
        job = self.queue[self.standing.job]
        await until(lambda: job.id in self.launcher.started)
        self.launcher.started[job.id].say(note("x"), ending, None)
        await told(job)
        self.keeper.look()
        return job.record.submitted

    def tuned(self, status="ok"):
        """Return the ending of a tuning that kept a profile."""
        return {"event": "tune_done", "status": status, "profile": str(self.profile), "message": ""}


def verified(status):
    """Return the ending of a verification."""
    return {"event": "verify_done", "status": status, "message": f"it is {status}"}


@contextlib.asynccontextmanager
async def keeping(tmp_path, **options):
    """Yield the story of a keeper."""
    async with working(tmp_path / "jobs") as (queue, launcher):
        yield Story(tmp_path, queue, launcher, **options)


def test_a_model_without_a_profile_is_tuned_and_applied(tmp_path):
    """After what people ask for, and the profile is put in force."""

    async def story():
        async with keeping(tmp_path) as s:
            submitted = await s.carry_out(s.tuned())
            assert (submitted.kind, submitted.priority) == ("tune", PRIORITY)
            assert submitted.request["max_latency_ms"] == 50.0
            assert s.active.applied == [(str(s.profile), "autotuned")]
            assert (s.standing.state, s.standing.job) == ("kept", None)
            assert s.queue.running is None

    asyncio.run(story())


def test_a_profile_is_checked_again_after_some_days(tmp_path):
    """And not before; one that holds is left alone."""

    async def story():
        async with keeping(tmp_path) as s:
            await s.carry_out(s.tuned())
            s.now += 1.9 * DAY_S
            s.keeper.look()
            assert s.standing.job is None
            s.now += 0.2 * DAY_S
            submitted = await s.carry_out(verified("kept"))
            assert submitted.request["profile"] == str(s.profile)
            assert (s.standing.state, s.standing.job) == ("kept", None)

    asyncio.run(story())


@pytest.mark.parametrize("status", ["stale", "broken"])
def test_what_does_not_hold_is_tuned_again(tmp_path, status):
    """In the next window."""

    async def story():
        async with keeping(tmp_path) as s:
            await s.carry_out(s.tuned())
            s.now += 3 * DAY_S
            await s.carry_out(verified(status))
            assert s.standing.state == "stale"
            assert s.standing.message == f"it is {status}"
            assert s.queue[s.standing.job].record.submitted.kind == "tune"

    asyncio.run(story())


def test_a_clock_that_is_set_back_stops_nothing(tmp_path):
    """The profile is checked, if only to know."""

    async def story():
        async with keeping(tmp_path) as s:
            await s.carry_out(s.tuned())
            s.now -= 100 * DAY_S
            s.keeper.look()
            assert s.queue[s.standing.job].record.submitted.kind == "verify"

    asyncio.run(story())


def test_it_works_only_when_it_may(tmp_path):
    """Nothing is started, and what runs is paused until it may again."""

    async def story():
        async with keeping(tmp_path) as s:
            s.waits = ("it is outside the windows",)
            s.keeper.look()
            assert s.standing.job is None
            s.waits = ()
            s.keeper.look()
            job = s.queue[s.standing.job]
            await until(lambda: job.state == "running")
            s.waits = ("the load is 0.90 of the CPUs",)
            s.keeper.look()
            assert job.state == "paused"
            s.waits = ()
            s.keeper.look()
            await until(lambda: job.state == "running")

    asyncio.run(story())


def test_what_fails_is_not_tried_without_end(tmp_path):
    """A model that cannot be tuned waits for its next check."""

    async def story():
        async with keeping(tmp_path) as s:
            await s.carry_out({"event": "job_failed", "message": "no such model"})
            assert s.standing.state == "missing"
            assert s.standing.message == "no such model"
            assert s.standing.job is None
            s.keeper.look()
            assert s.standing.job is None
            s.now += 3 * DAY_S
            s.keeper.look()
            assert s.standing.job is not None

    asyncio.run(story())


def test_a_profile_that_cannot_be_applied_is_said(tmp_path):
    """It is kept all the same."""

    async def story():
        async with keeping(tmp_path) as s:
            s.active.refuses = True
            await s.carry_out(s.tuned())
            assert (s.standing.state, s.standing.message) == ("kept", "not fit")

    asyncio.run(story())


def test_what_was_found_survives_the_daemon(tmp_path):
    """A damaged file is moved aside and costs a check."""

    async def story():
        async with keeping(tmp_path) as s:
            await s.carry_out(s.tuned())
            found = s.standing
        async with keeping(tmp_path) as s:
            assert s.standing == found
        (tmp_path / "kept.json").write_text("[")
        async with keeping(tmp_path) as s:
            assert s.standing.state == "missing"
            assert "damaged" in s.queue.notes[0]
            assert (tmp_path / "kept.damaged").exists()

    asyncio.run(story())
