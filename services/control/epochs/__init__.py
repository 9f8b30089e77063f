"""Epochs of resources: full volumes, proven complete, that any part of the bus may start.

``run.start_epoch(access, resource, where=None, reason=..., ...)`` begins one or goes on with the open one and
returns an ``Ended``; ``run.abort_epoch(access, resource, ...)`` gives an open one up; ``run.epoch_status``
says how the newest one stands. The rules beside them are pure.
"""
