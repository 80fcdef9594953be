"""Do it, and remember it: orders, fills, positions, money."""
