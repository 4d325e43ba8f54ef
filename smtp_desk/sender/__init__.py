"""The sender: messages and the routes they leave through."""
