"""The outside world: clocks, candles, instruments, exchanges. No Django, no database."""
