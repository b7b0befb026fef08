"""Model families whose margin can be explained exactly."""
