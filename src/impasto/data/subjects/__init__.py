"""What is found in a picture and cut out of it."""
