"""What a person at a terminal asks for and sees."""
