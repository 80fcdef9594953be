"""Scripted faults: what an exchange and the way to it do on a bad day, on command and repeatable.

A fault is told over ``POST /sim/faults``; docs/simexchange.md has the table. ``fault.py`` says what one is,
``kinds.py`` what there is, ``register.py`` which strikes a request, ``strike.py`` what happens to the request then, and
``lies.py`` what happens to prices and candles.
"""
