"""Binance's endpoints and the simulator's own, one file for each subject; ``table.py`` lists them all."""
