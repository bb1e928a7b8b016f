"""Where to run a model: on the device, in a cascade, or on a server, by latency, memory, energy and cost.

All of it is arithmetic over a :class:`~edgekit.catalog.decide.workload.Workload` and named assumptions.
"""
