"""LAW: no clock, socket, thread, disk or randomness of its own; time and chance are arguments.

Plain methods answer peers; generators ("steps") ask them: `links = yield Call(peer, "links")`. The same text is
driven by threads over Pyro (`objects/peers.py`) and by the simulator in virtual time (`tests/sim/world.py`).
After a `yield` the world may have changed: read state anew.
"""
