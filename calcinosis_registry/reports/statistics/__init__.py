"""Statistics of the reports: pure functions of numbers, each with its formula and source.

Checked in tests/reports/ against published results and against R (package survival). NumPy; the few exact
quantiles come from scipy.special, imported where they are used (0.2 s).
"""
