"""What each command takes: light, since help reads all of it; what is heavy waits for the call."""
