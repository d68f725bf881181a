"""The command line: parses, renders, and does nothing else."""
