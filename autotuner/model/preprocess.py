"""How an image becomes the input of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model.nearest import nearest

if TYPE_CHECKING:
    from PIL.Image import Image

Layout = Literal["nchw", "nhwc"]
Resize = Literal["stretch", "crop", "pad"]
Color = Literal["rgb", "bgr", "gray"]

_PAD_GRAY = 114  # what detectors are trained with


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocess:
    """The steps from an image to one sample: resize, order of colours, numbers, layout.

    A pixel of 0 to 255 becomes ``(pixel * scale - mean) / std``, *mean* and *std* one number for
    all channels or one for each. *size* is height and width, None the image's own. *resize*
    ``crop`` fills the size and cuts what hangs over, ``pad`` fits the image into it on gray ground.
    """

    size: tuple[int, int] | None = None
    resize: Resize = "stretch"
    color: Color = "rgb"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Layout = "nchw"

    def apply(self, image: Image) -> np.ndarray[Any, np.dtype[Any]]:
        """Return one sample; pixels keep their type uint8 where nothing is computed with them."""
        image = self._resized(image.convert("L" if self.color == "gray" else "RGB"))
        pixels = np.asarray(image)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if self.color == "bgr":
            pixels = pixels[:, :, ::-1]
        if (self.scale, self.mean, self.std) != (1.0, (0.0,), (1.0,)):
            mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
            pixels = (pixels * np.float32(self.scale) - mean) / std
        if self.layout == "nchw":
            pixels = pixels.transpose(2, 0, 1)
        return np.ascontiguousarray(pixels)

    def _resized(self, image: Image) -> Image:
        # Who has no images need not load Pillow.
        from PIL import Image as Images  # noqa: PLC0415
        from PIL import ImageOps  # noqa: PLC0415

        if self.size is None or image.size == self.size[::-1]:
            return image
        size = self.size[::-1]  # Pillow names the width first
        bilinear = Images.Resampling.BILINEAR
        if self.resize == "crop":
            return ImageOps.fit(image, size, bilinear)
        if self.resize == "pad":
            ground = _PAD_GRAY if image.mode == "L" else (_PAD_GRAY,) * 3
            return ImageOps.pad(image, size, bilinear, color=ground)
        return image.resize(size, bilinear)


def parse(text: str) -> Preprocess:
    """Read ``mean=0.485:0.456:0.406,std=0.229:0.224:0.225,size=224x224,resize=crop``.

    Raises ModelError naming the part that cannot be read.
    """
    fields: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.strip().partition("=")
        if name not in _READERS:
            raise ModelError(f"--preprocess knows no {name!r}; {nearest(name, _READERS)}")
        try:
            fields[name] = _READERS[name](value)
        except ValueError as error:
            raise ModelError(f"--preprocess cannot read {part.strip()!r}: {error}.") from None
    made = Preprocess(**fields)
    channels = 1 if made.color == "gray" else 3
    for name, values in (("mean", made.mean), ("std", made.std)):
        if len(values) not in {1, channels}:
            raise ModelError(
                f"--preprocess {name} has {len(values)} numbers for {channels} channels; "
                "give one for all or one for each."
            )
    return made


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(":"))
    except ValueError:
        raise ValueError("write numbers with : between them") from None


def _divisors(text: str) -> tuple[float, ...]:
    numbers = _numbers(text)
    if 0 in numbers:
        raise ValueError("0 is no divisor")
    return numbers


def _scale(text: str) -> float:
    above, _, below = text.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError("write a number or a fraction such as 1/255") from None


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise ValueError("write it as HEIGHTxWIDTH, such as 320x320")
    return int(height), int(width)


def _one_of(kind: Any) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in get_args(kind):
            raise ValueError(f"choose one of {', '.join(get_args(kind))}")
        return text

    return read


_READERS: Mapping[str, Callable[[str], Any]] = {
    "size": _size,
    "resize": _one_of(Resize),
    "color": _one_of(Color),
    "scale": _scale,
    "mean": _numbers,
    "std": _divisors,
    "layout": _one_of(Layout),
}
