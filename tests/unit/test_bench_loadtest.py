from __future__ import annotations

import pytest

from autotuner.bench.loadtest import LoadTest, read_summary

SERVER = """\
================================================
MLPerf Results Summary
================================================
SUT name : PySUT
Scenario : Server
Mode     : PerformanceOnly
Completed samples per second    : 242.60
Result is : {result}
  Performance constraints satisfied : NO
  Min duration satisfied : Yes
  Min queries satisfied : Yes
  Early stopping satisfied: {early}
Early Stopping Result:
 * Run unsuccessful.

================================================
Additional Stats
================================================
Scheduled samples per second : 396.20
Min latency (ns)                : 5177510
50.00 percentile latency (ns)   : 1569921010
99.00 percentile latency (ns)   : 3151266759
99.90 percentile latency (ns)   : 3165978892

================================================
Test Parameters Used
================================================
target_qps : 400
"""
SINGLE_STREAM = """\
Scenario : SingleStream
99.0th percentile latency (ns) : 4782819
Result is : VALID
  Early stopping satisfied: Yes
QPS w/ loadgen overhead         : 241.25
99.00 percentile latency (ns)   : 4782819
"""
TEST = LoadTest(percentile=99.0, target_qps=400.0, target_latency_ms=50.0)


def test_the_verdict_is_loadgens_with_its_figures():
    """What was scheduled and completed, and the percentile that counts, in our units."""
    verdict = read_summary(SERVER.format(result="INVALID", early="NO"), TEST)
    assert verdict.scenario == "Server"
    assert not verdict.valid
    assert not verdict.early_stopping
    assert verdict.latency_ms == pytest.approx(3151.266759)
    assert (verdict.scheduled_qps, verdict.completed_qps) == (396.2, 242.6)
    assert (verdict.target_qps, verdict.target_latency_ms) == (400.0, 50.0)


def test_a_valid_run_is_told_from_an_invalid_one():
    """INVALID holds the word VALID."""
    assert read_summary(SERVER.format(result="VALID", early="Yes"), TEST).valid


def test_the_summary_is_kept_without_the_list_of_settings():
    """They are ours and fill a screen."""
    verdict = read_summary(SERVER.format(result="VALID", early="Yes"), TEST)
    assert "Early Stopping Result" in verdict.summary
    assert "Test Parameters" not in verdict.summary
    assert verdict.summary.endswith("3165978892\n")


def test_one_query_after_the_other_has_other_names_for_the_figures():
    """SingleStream counts queries with LoadGen's own time in between."""
    verdict = read_summary(SINGLE_STREAM, LoadTest(percentile=99.0))
    assert verdict.valid
    assert verdict.completed_qps == 241.25
    assert verdict.latency_ms == pytest.approx(4.782819)
    assert verdict.scheduled_qps is None


def test_what_the_summary_does_not_say_is_not_known():
    """A percentile that it does not list, or a text that is no summary."""
    text = SERVER.format(result="VALID", early="Yes")
    assert read_summary(text, LoadTest(percentile=98.0, target_qps=1.0)).latency_ms is None
    verdict = read_summary("something else", TEST)
    assert not verdict.valid
    assert verdict.completed_qps is None


def test_a_slow_rate_is_given_the_time_for_its_queries():
    """Too few queries could never be VALID, however good they were."""
    slow = LoadTest(percentile=99.0, target_qps=3.5, target_latency_ms=50.0)
    assert slow.fewest_queries >= 2 * 459  # ln 0.01 / ln 0.99
    assert slow.most_s > slow.fewest_queries / 3.5
    assert TEST.most_s == 60.0
