"""A text that is padded to more than there is."""
text = f"{'x':>{10**11}}"
