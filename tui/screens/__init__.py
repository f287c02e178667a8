"""The pages and the dialogues."""
