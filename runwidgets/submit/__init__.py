"""Submitting scripts: what to run and where, the queue, and the process that looks after a run until its end."""
