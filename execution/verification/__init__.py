"""Recomputing the books from their sources, fills, capital changes and marks, and comparing to the last digit. PURE."""
