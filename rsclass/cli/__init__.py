"""The command line: parse, show, ask; no science."""
