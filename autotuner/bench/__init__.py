"""One trustworthy number: load, worker processes, windows and their statistics."""
