"""Torch definitions of networks whose weights come from elsewhere; torch is imported here and nowhere lower."""
