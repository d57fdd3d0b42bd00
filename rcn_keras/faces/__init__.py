"""From a photograph to the network's crop and back."""
