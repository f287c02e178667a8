"""Arrays as they lie on disk: in a .npz or .npy file, a folder of them, or a folder of images."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model import images
from autotuner.model.preprocess import Preprocess

Array = np.ndarray[Any, np.dtype[Any]]

UNNAMED = "arr_0"
"""The name numpy.savez gives to an array without one."""

_ARRAY_SUFFIXES = frozenset({".npy", ".npz"})


def files(path: Path) -> list[Path]:
    """Return the files that make up the data at *path*, sorted; of a folder those of one kind.

    Raises ModelError when a folder holds neither arrays nor images, or both.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.is_file())
    arrays = [file for file in found if file.suffix.lower() in _ARRAY_SUFFIXES]
    pictures = [file for file in found if file.suffix.lower() in images.SUFFIXES]
    if arrays and pictures:
        raise ModelError(f"{path} holds both arrays and images; keep one kind there.")
    if not arrays and not pictures:
        raise ModelError(
            f"{path} is a folder without .npz, .npy or image files; give one that has."
        )
    return arrays or pictures


def pieces(path: Path, preprocess: Preprocess | None) -> Iterator[tuple[Path, Mapping[str, Array]]]:
    """Yield the arrays at *path*, file by file; images are one array without a name.

    Nothing in the files is ever executed. Raises ModelError for what cannot be read.
    """
    parts = files(path)
    if parts[0].suffix.lower() in images.SUFFIXES and path.is_dir():
        yield path, {UNNAMED: images.load(parts, preprocess or Preprocess())}
        return
    if preprocess is not None:
        raise ModelError(f"--preprocess is for images, and {path} holds arrays; leave it out.")
    for part in parts:
        yield part, _arrays(part)


def first_piece(path: Path, preprocess: Preprocess | None) -> Mapping[str, Array]:
    """Return the arrays in the first file at *path*, an image with an axis of samples in front."""
    parts = files(path)
    if parts[0].suffix.lower() in images.SUFFIXES and path.is_dir():
        return {UNNAMED: images.first(parts, preprocess or Preprocess())[None]}
    return _arrays(parts[0])


def _arrays(path: Path) -> Mapping[str, Array]:
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {UNNAMED: content}
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise ModelError(f"There is no data file {path}; check the path.") from None
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise ModelError(f"Cannot read the data file {path}: {reason}; save it again.") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(
            f"{path} is no .npz or .npy file of plain arrays, or it is truncated; "
            "save it again with numpy.savez."
        ) from error
