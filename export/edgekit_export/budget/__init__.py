"""The budget: which layer is stored how, so that a size holds with the least damage, and a drop in the fewest bytes."""
