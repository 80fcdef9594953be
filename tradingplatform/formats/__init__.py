"""How dates and times are written in the console, by language (see FORMAT_MODULE_PATH)."""
