"""The search: a study of trials, samplers that propose them, and what to recommend."""

from autotuner.search.study import Search, Trial, stored_facts, study_name

__all__ = ["Search", "Trial", "stored_facts", "study_name"]
