"""The search: a study of trials, samplers that propose them, and what to recommend."""

from autotuner.search.facts import IMPORTED, stored_facts
from autotuner.search.identity import study_name
from autotuner.search.loop import Result, search
from autotuner.search.pareto import front, trade_off
from autotuner.search.study import Search, Trial

__all__ = [
    "IMPORTED",
    "Result",
    "Search",
    "Trial",
    "front",
    "search",
    "stored_facts",
    "study_name",
    "trade_off",
]
