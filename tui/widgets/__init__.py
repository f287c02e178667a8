"""The few widgets that everything is shown with."""
