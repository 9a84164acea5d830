"""Instruments: what is measured along a run, the same code on a method and on every flow."""
