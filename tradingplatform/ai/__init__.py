"""An AI that is asked about entries: off unless it is set up and a bot asks for it. See docs/ai.md."""
