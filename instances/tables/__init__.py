"""From a person's tables to a matching LP: problem.toml says what the columns mean (PROBLEM.md beside this file)."""

from instances.tables.problem import Problem, Stated

__all__ = ["Problem", "Stated"]
