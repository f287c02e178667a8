"""What a file that is no ONNX may be, guessed from its first bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format by its *name*, and the *remedy*: how to come from it to an ONNX file."""

    name: str
    remedy: str


_EXPORT_TORCH = "export it with torch.onnx.export first."
_CONVERT_TENSORFLOW = "convert it with tf2onnx first."

_BY_START = (
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the real file with `git lfs pull`."),
    (b"\x80\x02", "a Python pickle, perhaps an old PyTorch file", _EXPORT_TORCH),
    (b"\x89HDF\r\n\x1a\n", "HDF5, perhaps a Keras model", _CONVERT_TENSORFLOW),
    (b"\x93NUMPY", "a NumPy array", "give the model here and the array with --data."),
    (b"GGUF", "a GGUF language model", "export the original model to ONNX instead."),
    (b"ftrt", "a TensorRT engine", "give the ONNX file it was built from."),
    (b"\x1f\x8b", "a gzip archive", "unpack it first."),
)
_BY_TAG = {  # bytes 4 to 8: the file identifier of FlatBuffers
    b"TFL3": FileFormat("a TensorFlow Lite model", _CONVERT_TENSORFLOW),
    b"ORTM": FileFormat("an ORT-format model", "give the ONNX file it was made from."),
}


def guess(head: bytes) -> FileFormat | None:
    """Name the format of a file that starts with *head*; None when it may well be ONNX."""
    for start, name, remedy in _BY_START:
        if head.startswith(start):
            return FileFormat(name, remedy)
    if head[4:8] in _BY_TAG:
        return _BY_TAG[head[4:8]]
    if head.startswith(b"PK\x03\x04"):
        if b".pkl" in head:
            return FileFormat("a PyTorch file", _EXPORT_TORCH)
        if b".npy" in head:
            return FileFormat("a NumPy archive", "give the model here and the data with --data.")
        return FileFormat("a zip archive", "unpack it first.")
    if head[8:10] == b'{"':
        return FileFormat("a safetensors file, weights alone", _EXPORT_TORCH)
    if _is_text(head):
        return FileFormat("text", "give the binary .onnx file.")
    return None


def _is_text(head: bytes) -> bool:
    """Say whether *head* is printable; an ONNX file starts with control characters."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        # The cut at the end of head may split a character.
        text = head[: error.start].decode() if error.start > len(head) - 4 else "\0"
    return all(letter.isprintable() or letter.isspace() for letter in text)
