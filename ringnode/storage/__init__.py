"""LAW: whole and durable, or not there. Knows keys and bytes, never peers or songs."""
