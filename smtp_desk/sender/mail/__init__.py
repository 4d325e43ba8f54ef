"""Messages: content, recipients and sender, independent of any route."""
