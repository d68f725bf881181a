"""What is in a source of pictures, and what to make of it."""
