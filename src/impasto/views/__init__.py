"""What a run looks like: its curves, its film, real beside generated, and the report of it all."""
