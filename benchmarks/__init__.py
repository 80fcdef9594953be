"""Measurements of the platform: ``make bench``. Compare figures of one run; machines differ and are noisy."""
