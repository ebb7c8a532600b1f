"""What comes in: samples, targets and class names, checked once."""
