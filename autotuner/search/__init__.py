"""The search: a study of trials, samplers that propose them, and what to recommend."""

from autotuner.search.loop import Result, search
from autotuner.search.pareto import front
from autotuner.search.study import Search, Trial, stored_facts, study_name

__all__ = ["Result", "Search", "Trial", "front", "search", "stored_facts", "study_name"]
