"""What to want, given candles. PURE: one file per strategy, found through the registry."""
