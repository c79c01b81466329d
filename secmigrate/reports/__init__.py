"""How it is told: to people, to scripts, to a shell."""
