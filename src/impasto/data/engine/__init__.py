"""Who does the work of a preparation: processes of this machine, or Ray."""
