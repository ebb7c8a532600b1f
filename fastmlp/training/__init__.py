"""Training: the arguments of `fit`, the loop over epochs, scores, and history."""
