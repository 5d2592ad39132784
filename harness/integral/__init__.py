"""Whole decisions: said before solving where none can exist, made by solvers/whole, and judged like any other x."""
