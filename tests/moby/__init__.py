"""The Docker engine and the conversation with it."""
