"""Deep and diagonal linear networks: how fast they learn, and which solution their start makes them find."""
