"""Labelled and unlabelled samples to measure on: one file a format."""
