"""Diseases of a training: each is one function of a case, which tells it or nothing.

Signals are taken as medians over the last looks, since one look may be chance, and a threshold stands in
the function of the disease that it belongs to: docs/explanation/thresholds.md says on which runs it was set.
"""
