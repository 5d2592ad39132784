"""From a problem over tables to decisions by key, prices and a certificate: `dualbench solve` and `solve_problem`.

OUTPUTS.md beside this file defines every file and column that is written.
"""
