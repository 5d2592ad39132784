"""The harness: suites of cases, the referee that judges them, and the records they leave."""

from harness.certificate import Certificate
from harness.referee import certify
from harness.result import Result
from harness.solve import solve

__all__ = ["Certificate", "Result", "certify", "solve"]
