"""Messages: what is written, to whom, by whom. Knows no route."""
