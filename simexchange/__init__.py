"""A spot exchange on localhost that speaks Binance's REST API.

It is a program of its own: it imports nothing of the trading platform and the platform imports nothing of it. They meet
over HTTP only, so what works here works against the real exchange with the host name changed.

The price of every moment is known beforehand (invented from a seed, or replayed). Orders never move it: one that takes
meets an invented book around the last price, one that rests is filled by what trades through its price, and all of that
happens at the moment of market time at which it would happen, whenever somebody looks.

Imports run down: ``server`` > ``visit`` and ``endpoints`` > ``matcher`` > ``exchange`` (everything that runs, in one
place) > ``faults``, ``orders`` > ``requests``, ``market`` > ``errors``, ``amounts``.

Start it with ``python -m simexchange --port 8900 --speed 60 --seed 7``.
"""
