"""Which stage of a broken candidate is at fault: declared wrongly, or built wrongly into its graph."""
