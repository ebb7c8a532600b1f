"""What is needed to release fastmlp; not installed."""
