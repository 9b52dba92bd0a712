"""A music library that no single machine can lose.

The words used everywhere, one for one thing:

Peer     (id, address, incarnation) of a node; the id is its place on the circle
Ring     what one node believes: predecessor, successors, fingers, known peers
Step     a generator that yields Calls to peers and is resumed with their replies
Song     what people see; its fields are listed once, in catalogue/model.py
key      BLAKE3-256 of a file's bytes: a song's id, its place on the circle, the proof of a whole copy
Blob     a file under its key on one node's disk: whole and durable, or not there
owners   the node responsible for a key (first at or after it) and the next k-1
Record   anything that must be on every node: songs, users, peers
Loop     a background pass that looks at the present state and mends it; twice is harmless
Node     all of it, started in order and stopped in reverse
"""

__version__ = "0.1.0"
