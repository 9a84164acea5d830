"""Methods seen otherwise: another library's optimizer, an average over oscillations."""
