"""The console of positions, orders, trades and money: read-only, the platform alone writes them."""
