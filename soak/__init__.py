"""Long runs of the platform under faults: ``make soak``. Each ends with what was seen, and fails on a violation."""
