"""Parts of the accuracy-drop measurement: scorers by metric, noise, worst samples, the result."""
