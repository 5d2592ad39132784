"""The harness: suites of cases, the referee that judges them, and the records they leave."""

from harness.referee import Certificate, certify
from harness.solve import Result, solve

__all__ = ["Certificate", "Result", "certify", "solve"]
