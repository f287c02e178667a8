from __future__ import annotations

import asyncio

import pytest
from fake_jobs import END, note, submitted, told, until, working

from autotuner.core.errors import InputError, StateError
from autotuner.daemon import jobs


def states(queue):
    """Return the state of every job, the newest last."""
    return [job.state for job in queue]


def test_a_job_runs_to_its_ending(tmp_path):
    """Its events are told in order with numbers from 0, the ending last."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, new = queue.submit(submitted())
            await until(lambda: launcher.started)
            launcher.started[job.id].say(note("one"), END, None)
            events = await told(job)
        assert new
        assert [(e["n"], e["event"]) for e in events] == [(0, "note"), (1, "measure_done")]

    asyncio.run(story())


def test_one_job_has_the_box(tmp_path):
    """The next begins when the first has ended."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            first, _ = queue.submit(submitted(model="a"))
            await until(lambda: queue.running is first)
            second, _ = queue.submit(submitted(model="b"))
            await asyncio.sleep(0.01)
            assert states(queue) == ["running", "queued"]
            await until(lambda: first.id in launcher.started)
            launcher.started[first.id].say(END, None)
            await until(lambda: queue.running is second)

    asyncio.run(story())


def test_the_highest_priority_is_next(tmp_path):
    """Among equal ones, the oldest."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            blocker, _ = queue.submit(submitted(model="blocker"))
            await until(lambda: blocker.id in launcher.started)
            names = {}
            for name, priority in (("a", 0), ("b", 5), ("c", 5), ("d", -5)):
                names[queue.submit(submitted(model=name, priority=priority))[0].id] = name
            for turn in range(5):
                await until(lambda turn=turn: len(launcher.started) == turn + 1)
                launcher.started[list(launcher.started)[turn]].say(END, None)
            await until(lambda: not queue.busy)
        order = [names[id_] for id_ in launcher.started if id_ in names]
        assert order == ["b", "c", "a", "d"]

    asyncio.run(story())


def test_an_equal_request_joins_the_job_under_way(tmp_path):
    """Whatever its priority; once the job has ended, it is a new one."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted(model="a"))
            assert queue.submit(submitted(model="a", priority=7)) == (job, False)
            await until(lambda: launcher.started)
            launcher.started[job.id].say(END, None)
            await told(job)
            again, new = queue.submit(submitted(model="a"))
            assert new
            assert again is not job

    asyncio.run(story())


def test_what_is_being_cancelled_is_not_joined(tmp_path):
    """Whoever asks again wants it; also after the daemon died before the job could conclude."""

    async def first_life():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            launcher.started[job.id].say(note("x"))
            await until(lambda: job.record.next_number == 1)
            job.cancel()
            again, new = queue.submit(submitted())
            assert (new, again.state) == (True, "queued")
            again.cancel()
            return job.id

    async def second_life(id_):
        async with working(tmp_path, hold=True) as (queue, launcher):
            again, new = queue.submit(submitted())
            assert (await told(queue[id_]))[-1]["interrupted"]
            await until(lambda: again.id in launcher.started)
            assert new
            assert list(launcher.started) == [again.id]

    asyncio.run(second_life(asyncio.run(first_life())))


def test_a_paused_job_gives_the_box_away(tmp_path):
    """Its process ends after the trial in hand; it goes on in its turn, in a new one."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            first, _ = queue.submit(submitted(model="a"))
            second, _ = queue.submit(submitted(model="b"))
            await until(lambda: first.id in launcher.started)
            process = launcher.started[first.id]
            await until(lambda: first.alive)
            first.pause()
            process.say(note("the trial in hand"), {"event": "paused"}, None)
            await until(lambda: second.id in launcher.started and not first.alive)
            first.resume()
            assert states(queue) == ["queued", "running"]
            launcher.started[second.id].say(END, None)
            await until(lambda: launcher.started[first.id] is not process)
            launcher.started[first.id].say(END, None)
            events = await told(first)
            assert [event["n"] for event in events] == [0, 1]

    asyncio.run(story())


def test_a_pause_may_be_taken_back(tmp_path):
    """Before the trial in hand is done, and a moment too late: the job goes on either way."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            process = launcher.started[job.id]
            await until(lambda: job.alive)
            await asyncio.sleep(0.01)
            job.pause()
            job.resume()
            await until(lambda: process.told == ["pause", "resume"])
            process.say({"event": "paused"}, None)
            await until(lambda: launcher.started[job.id] is not process)
            assert job.state == "running"

    asyncio.run(story())


def test_a_paused_job_that_is_cancelled_tells_what_it_has(tmp_path):
    """Its process is started once more to conclude."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            process = launcher.started[job.id]
            await until(lambda: job.alive)
            job.pause()
            process.say(note("x"), {"event": "paused"}, None)
            await until(lambda: not job.alive)
            job.cancel()
            await until(lambda: launcher.started[job.id] is not process)
            again = launcher.started[job.id]
            await until(lambda: "cancel" in again.told)
            again.say(END, None)
            assert (await told(job))[-1]["event"] == "measure_done"

    asyncio.run(story())


def test_a_job_that_waits_can_be_cancelled(tmp_path):
    """It ends without ever starting."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            first, _ = queue.submit(submitted(model="a"))
            second, _ = queue.submit(submitted(model="b"))
            await until(lambda: first.id in launcher.started)
            second.cancel()
            (ending,) = await told(second)
            assert (ending["event"], ending["interrupted"]) == ("job_failed", True)
            assert queue.running is first
            assert second.id not in launcher.started

    asyncio.run(story())


def test_a_running_job_is_told_that_it_is_cancelled(tmp_path):
    """It ends with what it has; a job that has ended hears nothing."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            await until(lambda: job.alive)
            await asyncio.sleep(0)
            job.cancel()
            launcher.started[job.id].say(END, None)
            await told(job)
            job.cancel()
            assert launcher.started[job.id].told == ["cancel"]

    asyncio.run(story())


@pytest.mark.parametrize("wish", ["pause", "resume"])
def test_an_ended_job_is_neither_paused_nor_resumed(tmp_path, wish):
    """It says so."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            launcher.started[job.id].say(END, None)
            await told(job)
            with pytest.raises(StateError, match="has ended"):
                getattr(job, wish)()

    asyncio.run(story())


def test_a_process_that_says_no_ending_gets_one(tmp_path, monkeypatch):
    """Nobody waits for ever."""
    monkeypatch.setattr(jobs, "OUR_TURN_S", 0.0)

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            launcher.started[job.id].say(note("one"), None)
            ending = (await told(job))[-1]
            assert (ending["event"], ending["unexpected"]) == ("job_failed", True)

    asyncio.run(story())


def test_a_job_that_is_ended_together_with_the_daemon_goes_on(tmp_path):
    """A service manager stops jobs first: that is no failure, and the next daemon goes on."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted())
            await until(lambda: launcher.started)
            launcher.started[job.id].say(note("one"), None)
            assert (await anext(job.events(0)))["event"] == "note"  # it is told when it is kept
        async with working(tmp_path) as (queue, launcher):
            await until(lambda: launcher.started)
            launcher.started[job.id].say(END, None)
            heard = [event["event"] for event in await told(queue[job.id])]
            assert heard == ["note", "measure_done"]

    asyncio.run(story())


def test_jobs_survive_the_daemon(tmp_path):
    """What ran and what waited goes on, in the order of submission; numbers go on too."""

    async def first_life():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted(model="a", at=1.0))
            queue.submit(submitted(model="b", at=2.0))
            await until(lambda: launcher.started)
            launcher.started[job.id].say(note("one"), note("two"))
            await anext(job.events(1))
            return job.id

    async def second_life(id_):
        async with working(tmp_path) as (queue, launcher):
            await until(lambda: launcher.started)
            assert list(launcher.started) == [id_]
            launcher.started[id_].say(note("three"), END, None)
            events = await told(queue[id_], first=1)
            await until(lambda: len(launcher.started) == 2)
        assert [event["n"] for event in events] == [1, 2, 3]
        assert [event.get("text") for event in events] == ["two", "three", None]

    asyncio.run(second_life(asyncio.run(first_life())))


def test_wishes_survive_the_daemon(tmp_path):
    """A paused job stays paused, one that was being cancelled does not start again."""

    async def first_life():
        async with working(tmp_path) as (queue, launcher):
            paused, _ = queue.submit(submitted(model="a"))
            await until(lambda: launcher.started)
            paused.pause()
            cancelled, _ = queue.submit(submitted(model="b"))
            await until(lambda: len(launcher.started) == 2)
            cancelled.cancel()
            return paused.id, cancelled.id

    async def second_life(paused, cancelled):
        async with working(tmp_path) as (queue, launcher):
            (ending,) = await told(queue[cancelled])
            assert ending["interrupted"]
            assert queue[paused].state == "paused"
            assert not launcher.started

    asyncio.run(second_life(*asyncio.run(first_life())))


def test_a_held_job_waits_until_it_is_asked_for(tmp_path):
    """A private daemon starts nothing that its user has not asked for in this life."""

    async def first_life():
        async with working(tmp_path) as (queue, _):
            queue.submit(submitted(model="a"))
            queue.submit(submitted(model="b"))

    async def second_life():
        async with working(tmp_path, hold=True) as (queue, launcher):
            assert states(queue) == ["paused", "paused"]
            assert not queue.busy
            job, new = queue.submit(submitted(model="a"))
            await until(lambda: launcher.started)
            assert (queue.running, new) == (job, False)

    asyncio.run(first_life())
    asyncio.run(second_life())


def test_releasing_does_not_resume_what_somebody_paused(tmp_path):
    """Listening to a job is no wish that it go on."""

    async def first_life():
        async with working(tmp_path) as (queue, _):
            queue.submit(submitted(model="a"))[0].pause()
            queue.submit(submitted(model="b"))

    async def second_life():
        async with working(tmp_path, hold=True) as (queue, _):
            for job in queue:
                job.release()
            assert sorted(states(queue)) == ["paused", "queued"]

    asyncio.run(first_life())
    asyncio.run(second_life())


def test_a_damaged_job_is_moved_aside_and_said(tmp_path):
    """The others go on."""

    async def story():
        async with working(tmp_path / "jobs") as (queue, _):
            good, _ = queue.submit(submitted(model="a"))
            bad, _ = queue.submit(submitted(model="b"))
        (bad.record.folder / "request.json").write_text("{")
        async with working(tmp_path / "jobs") as (queue, _):
            assert [job.id for job in queue] == [good.id]
            assert bad.id in queue.notes[0]
        assert (tmp_path / "damaged" / bad.id / "request.json").read_text() == "{"

    asyncio.run(story())


def test_a_folder_without_a_request_was_never_acknowledged(tmp_path):
    """It is cleared away."""
    (tmp_path / "20260101-000000-abcdef").mkdir()

    async def story():
        async with working(tmp_path) as (queue, _):
            assert (list(queue), queue.notes) == ([], [])

    asyncio.run(story())
    assert list(tmp_path.iterdir()) == []


def test_old_jobs_are_forgotten(tmp_path):
    """Those that have ended, the oldest first."""

    async def story():
        async with working(tmp_path, most_kept=2) as (queue, launcher):
            ids = []
            for name in "abcd":
                job, _ = queue.submit(submitted(model=name))
                await until(lambda id_=job.id: id_ in launcher.started)
                launcher.started[job.id].say(END, None)
                await told(job)
                ids.append(job.id)
            assert [job.id for job in queue] == ids[2:]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(ids[2:])

    asyncio.run(story())


def test_the_queue_is_limited(tmp_path):
    """One job too many is refused; what is under way can still be joined."""

    async def story():
        async with working(tmp_path, most_queued=2) as (queue, launcher):
            queue.submit(submitted(model="runs"))
            await until(lambda: launcher.started)
            for name in "ab":
                queue.submit(submitted(model=name))
            with pytest.raises(StateError, match="2 jobs wait already"):
                queue.submit(submitted(model="c"))
            assert not queue.submit(submitted(model="a"))[1]

    asyncio.run(story())


def test_an_unknown_job_is_named(tmp_path):
    """With where to look."""

    async def story():
        async with working(tmp_path) as (queue, _):
            with pytest.raises(InputError, match="no job 'x'"):
                queue["x"]

    asyncio.run(story())


def test_a_full_disk_refuses_a_job(tmp_path):
    """Nothing is acknowledged that is not kept."""

    async def story():
        (tmp_path / "jobs").write_text("in the way")
        async with working(tmp_path / "jobs") as (queue, _):
            with pytest.raises(StateError, match="cannot be kept"):
                queue.submit(submitted())

    asyncio.run(story())


def test_a_job_whose_words_cannot_be_read_ends_all_the_same(tmp_path):
    """Whoever follows it hears so; the process is ended, and the next job has the box."""

    async def story():
        async with working(tmp_path) as (queue, launcher):
            job, _ = queue.submit(submitted(model="a"))
            await until(lambda: job.id in launcher.started)
            process = launcher.started[job.id]
            process.say(b"no JSON\n")
            following, _ = queue.submit(submitted(model="b"))
            await until(lambda: queue.running is following)
            (end,) = await told(job)
        assert process.stopped
        assert end["event"] == "job_failed"
        assert "cannot be read" in end["message"]

    asyncio.run(story())
