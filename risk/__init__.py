"""May we? Every entry passes here, or does not happen."""
