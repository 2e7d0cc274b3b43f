"""What `make bench` measures. Nothing here asserts: it prints figures, each beside its floor from the same run."""
