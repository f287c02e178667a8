"""Findings as tables, figures and one page; text and bytes come out, nothing is written."""
