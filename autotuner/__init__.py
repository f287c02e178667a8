"""Find the fastest configuration that provably keeps a latency budget on this box."""

__version__ = "0.1.0"
