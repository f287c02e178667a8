"""What each pane shows, as lines for a given size: functions of the state, without Textual."""
