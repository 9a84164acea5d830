"""Running a method: where a step is taken, the loop of all runs, what comes back."""
