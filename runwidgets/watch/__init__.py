"""Following a run: what changed (feed), what it means to a person (view), and when to look (poller)."""
