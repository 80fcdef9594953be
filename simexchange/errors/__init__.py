"""Binance's error answers by what is refused: the request, a parameter, an order, a pair of orders."""
