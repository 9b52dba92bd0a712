"""What a node does for people, and for itself."""
