"""What the guard looks at between ticks, one subject each."""
