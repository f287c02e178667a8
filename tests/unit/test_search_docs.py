from __future__ import annotations

import re
from pathlib import Path

from autotuner.search.recommendation import MORE_AFTER_ONE, SURE

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")


def test_the_example_runs_and_finds_the_optimum(capsys):
    """Whoever copies it gets the best of its made-up device."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(example, names)
    evaluate, space = names["evaluate"], names["space"]
    objective = names["objective"]
    kept = [m for m in map(evaluate, space.configs) if objective.feasible(m)]
    best = max(m.throughput_ips for m in kept)
    assert evaluate(names["result"].best).throughput_ips == best
    assert str(names["result"].best) in capsys.readouterr().out


def test_the_page_names_the_probabilities_that_a_recommendation_needs():
    """Those of the code, not those of an earlier one."""
    for count in (1, 2, 3):
        assert f"{SURE + MORE_AFTER_ONE / count:.2f}" in PAGE
    assert f"towards {SURE:g} " in PAGE
