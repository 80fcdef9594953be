"""Prices: where candles come from, what the market shows at a moment of market time, the book invented around it."""
