"""The roof: wires the floors together. A tick lives here because it calls every floor."""
