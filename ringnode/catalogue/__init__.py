"""LAW: knows songs and people, never peers."""
