"""One picture in the manner of another: by optimisation, by a network that learnt a manner, frame by frame."""
