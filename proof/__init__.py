"""Proof of the order path: the real code and the real simulated exchange in one process, in thousands of histories.

Time is virtual, every choice comes from a seed, and after the faults have stopped everything must have come to rest and
every invariant must hold. ``make proof``; a single history again: ``python -m proof --seed N``.
"""
