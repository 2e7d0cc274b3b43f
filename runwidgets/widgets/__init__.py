"""Live displays for notebooks."""
