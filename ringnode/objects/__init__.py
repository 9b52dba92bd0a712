"""LAW: translates, decides nothing. The only place that knows Pyro."""
