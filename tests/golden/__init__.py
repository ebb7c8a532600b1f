"""Model files of released versions, which every later version must load: see `make`."""
