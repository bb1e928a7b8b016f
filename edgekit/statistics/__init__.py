"""Pure statistics of paired comparisons: intervals, gates, distances. Fractions in, fractions out."""
