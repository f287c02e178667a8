"""The ONNX model: what it is, the reference models, and the inputs that feed it.

Only ``inspect`` and the making of reference models import onnx; a process that merely feeds a model
(``inputs``, ``data``, ``shapes``) does without it.
"""
