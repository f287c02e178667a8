"""The machine: what it has, what it shows, what may be set on it."""
