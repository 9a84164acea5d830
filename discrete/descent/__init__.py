"""Methods without memory."""
