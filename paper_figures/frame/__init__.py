"""What papers share: claims, data on disk, computing them, runs and programs that several papers use, ticks."""
