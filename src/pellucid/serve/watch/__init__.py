"""What a service was asked and what it said, kept and compared with training."""
