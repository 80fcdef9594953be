"""A spot exchange on localhost that speaks Binance's REST API.

It is a program of its own: it imports nothing of the trading platform and the platform imports nothing of it. They meet
over HTTP only, so what works here works against the real exchange with the host name changed.

Start it with ``python -m simexchange --port 8900 --speed 60 --seed 7``.
"""
