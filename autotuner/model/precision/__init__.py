"""The process that makes precision variants: ``python -m autotuner.model.precision``.

It runs apart because the quantiser needs much memory, runs the model and may crash; only
``messages`` is for those who start it.
"""
