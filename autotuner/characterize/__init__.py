"""Instruments: where a model's time goes, how far it scales, where it could be cut."""
