"""Pages in the browser: they show what the workflows do, and do nothing else."""
