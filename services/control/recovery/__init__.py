"""Takes a capture whose replication slot was lost anew by itself: once, on the record, and proven by epochs.

``rules`` says which gaps, and how far a recovery is; ``bus`` is what it asks of the running bus;
``services.control.process.recovery`` takes the steps.
"""
