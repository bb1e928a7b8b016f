"""Plots as inline SVG, one a file.

Positions are percentages of the width and text has a fixed size, so that a plot fits a phone as well as a page.
Colours come from the page's classes; nothing is drawn by style attributes, which its security policy forbids.
"""
