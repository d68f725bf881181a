"""What pictures are like, in numbers: networks trained by others that turn them into features."""
