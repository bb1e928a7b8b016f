"""Recorded predictions: what one side made of every sample, in a file that outlives the run."""
