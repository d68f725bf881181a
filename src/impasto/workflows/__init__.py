"""The verbs: what the command line, the page and a Python session call."""
