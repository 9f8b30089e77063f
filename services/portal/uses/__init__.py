"""What pages do and ask for beyond one call of the control plane; no page has SQL of its own."""
