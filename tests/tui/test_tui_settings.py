"""What the user has set."""

import pytest

from autotuner.core.errors import InputError
from tui import settings


def test_without_a_file_everything_is_as_usual(tmp_path):
    """Nobody needs settings."""
    assert settings.read(tmp_path / "none.yaml") == settings.Settings()


def test_the_file_is_read(tmp_path):
    """Keys, theme and glyphs are the user's."""
    file = settings.path({"XDG_CONFIG_HOME": str(tmp_path)})
    file.parent.mkdir()
    file.write_text("theme: light\nkeymap:\n  cancel: X\n")
    assert settings.read(file) == settings.Settings(theme="light", keymap={"cancel": "X"})


@pytest.mark.parametrize("text", ["colour: red", "keymap: [x]", "{"])
def test_a_wrong_file_is_named(tmp_path, text):
    """A mistake in the settings is one sentence with the file's name."""
    file = tmp_path / "tui.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"tui\.yaml"):
        settings.read(file)
