"""How close the answers of a variant are to those of FP32 on ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotuner.core.wording import counted

DEFAULT_MIN_ACCURACY = 0.99
"""The share of FP32's accuracy that a variant has to keep."""

JudgedOn = Literal["data", "random inputs"]
"""Whether the samples were the user's, held out of calibration, or random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputAccuracy:
    """One output beside FP32's.

    *score* is 1 where nothing is lost. *snr_db* lies within -150 and 150, where float32 ends.
    *top1* is the share of answers with the same best class, *top5* with FP32's best class among the
    five best; both None for what is no classifier. *equal* is the share of equal elements of an
    output without fractions. *fault* says why the output is broken.
    """

    name: str
    score: float
    cosine: float | None = None
    snr_db: float | None = None
    top1: float | None = None
    top5: float | None = None
    equal: float | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The accuracy of a variant beside FP32's; *score* is the one number that a bound is put on.

    *score* is 1 where nothing is lost: what *judged_by* names, by default the worst of the
    *outputs*, with labels the ratio of *top1* to *reference_top1*, or what the user's own function
    returned.
    """

    score: float
    judged_by: str
    judged_on: JudgedOn
    samples: int
    outputs: tuple[OutputAccuracy, ...] = ()
    top1: float | None = None
    reference_top1: float | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What is broken, each naming its output."""
        return tuple(f"{output.name} {output.fault}" for output in self.outputs if output.fault)

    def passed(self, min_accuracy: float = DEFAULT_MIN_ACCURACY) -> bool:
        """Say whether the variant may be used: no output is broken and the score suffices."""
        return not self.faults and self.score >= min_accuracy

    def __str__(self) -> str:
        if self.faults:
            samples = counted(self.samples, "sample")
            return f"{'; '.join(self.faults)} (on {samples} of {self.judged_on})"
        words = [f"{self.score:.4f} of FP32 by {self.judged_by}"]
        if self.top1 is not None and self.reference_top1 is not None:
            words.append(f"top-1 {self.top1:.4f}, FP32's {self.reference_top1:.4f}")
        levels = [output.snr_db for output in self.outputs if output.snr_db is not None]
        if levels:
            words.append(f"signal to noise {min(levels):.1f} dB")
        kind = self.judged_on.removesuffix(" inputs")
        return f"{', '.join(words)}, on {counted(self.samples, f'{kind} sample')}"
