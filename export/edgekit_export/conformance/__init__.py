"""Which families of models go all the way, measured: ``python -m edgekit_export.conformance`` makes the table."""
