"""Where runs are kept: journals that processes append to, and the store that they are folded into."""
