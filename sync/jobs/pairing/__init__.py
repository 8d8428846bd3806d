"""How links begin and end: newcomers, matches, moves, absence."""
