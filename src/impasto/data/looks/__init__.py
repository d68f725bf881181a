"""What a picture looks like, in numbers: measures, and hashes by which near duplicates are found."""
