"""Whole decisions: an integral point near an LP's answer, from any solver's x and dual (math in rounding.py)."""
