"""No precision is measured before its answers were compared with FP32's on ONNX Runtime."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from autotuner.bench.bench import Bench
from autotuner.bench.harness import Cancelled, Harness
from autotuner.bench.loading import load
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import ModelError
from autotuner.core.events import Note, Working
from autotuner.core.judgement import AccuracyRules, Judgement
from autotuner.core.outcome import Failed
from autotuner.core.space import Value
from autotuner.model import held_out, labels, metric
from autotuner.model.accuracy import Outputs, judge
from autotuner.model.calibration import Calibration
from autotuner.model.inputs import InputSpec
from autotuner.model.labels import Labels
from autotuner.model.metric import Metric
from autotuner.model.precision.messages import Progress
from autotuner.model.variants import Variant, VariantStore, refusal
from autotuner.subject import Subject

Pair = tuple[str, str]
"""A provider and a precision."""

_MEASURE = (BASELINE.provider, BASELINE.precision)
_CALIBRATED = ("int8", "int8-symmetric", "int8-dynamic")
_NO_DATA = (
    "INT8 needs real inputs to be calibrated and judged with: give them with --data, or measure "
    "its speed alone with --allow-uncalibrated"
)
_TELL_EVERY_S = 1.0


@dataclass(kw_only=True)
class Guard:
    """Makes the graphs that precisions need and judges every precision of every provider.

    Nothing has to be judged on a device that is not there. Raises ModelError and InputError for
    labels, data and functions that cannot be used.
    """

    subject: Subject
    rules: AccuracyRules
    store: VariantStore
    cancelled: Callable[[], bool]
    _variants: dict[str, Variant | Failed] = field(default_factory=dict)

    def wanted(
        self, providers: Iterable[Value] | None = None, precisions: Iterable[Value] | None = None
    ) -> tuple[Pair, ...]:
        """Return the pairs among those named, None naming all; unknown ones are left out.

        Integers need to be named where there is no data for them, or little to gain.
        """
        named = None if precisions is None else tuple(precisions)
        return tuple(
            (provider, precision)
            for provider, offered in self.subject.precisions.items()
            if providers is None or provider in providers
            for precision in offered
            if (precision in named if named is not None else self._by_default(precision))
        )

    def offered(self, pairs: Iterable[Pair]) -> Subject:
        """Return the subject with nothing but *pairs*."""
        kept: dict[str, dict[str, str]] = {}
        for provider, precision in pairs:
            kept.setdefault(provider, {})[precision] = self._graph(provider, precision)
        return replace(self.subject, precisions=kept)

    def note(self, pairs: Iterable[Pair]) -> str | None:
        """Say what is not among *pairs* for want of data, None where nothing is."""
        left_out = {p for p in self.subject.every_precision if p in _CALIBRATED}
        left_out -= {precision for _, precision in pairs}
        return f"{_NO_DATA}." if left_out and not self._may_calibrate else None

    def graph_of(self, config: Config) -> Path:
        """Return the graph that *config* runs; it was built before."""
        graph = self.subject.precisions[config.provider].get(config.precision)
        variant = self._variants.get(graph or "")
        return variant.path if isinstance(variant, Variant) else self.subject.info.path

    def build(self, pairs: Iterable[Pair]) -> Iterator[Note | Working]:
        """Make the graphs that *pairs* need, where they are not in the cache yet.

        Raises Cancelled.
        """
        if self.subject.device is not None:
            return
        for graph in dict.fromkeys(self._graph(*pair) for pair in pairs):
            if graph == BASELINE.precision:
                continue
            if graph in _CALIBRATED and not self._may_calibrate:
                self._variants[graph] = Failed("unsupported", _NO_DATA)
            else:
                variant = self._variants[graph] = yield from self._built(graph)
                if isinstance(variant, Variant) and variant.note is not None:
                    yield Note(text=variant.note)

    def judge(
        self, bench: Bench, pairs: Sequence[Pair]
    ) -> Generator[Judgement | Working, None, tuple[Judgement, ...]]:
        """Compare what *pairs* answer with what FP32 answers on ONNX Runtime."""
        judgements: list[Judgement] = []
        reference: list[Outputs] | None = None
        for provider, precision in pairs if isinstance(bench, Harness) else ():
            if (provider, precision) == _MEASURE:
                continue
            judgement = self._without_running(provider, precision)
            if judgement is None:
                assert isinstance(bench, Harness)
                reference = reference or (yield from self._reference(bench))
                judgement = yield from self._compared(bench, provider, precision, reference)
            judgements.append(judgement)
            yield judgement
        return tuple(judgements)

    def _by_default(self, precision: str) -> bool:
        if self.subject.device is not None or precision not in _CALIBRATED:
            return True
        return self._may_calibrate and refusal(self.subject.info, precision) is None

    def _graph(self, provider: str, precision: str) -> str:
        return self.subject.precisions[provider][precision]

    def _variant(self, provider: str, precision: str) -> Variant | Failed | None:
        return self._variants.get(self._graph(provider, precision))

    def _built(self, graph: str) -> Generator[Working, None, Variant | Failed]:
        """Make *graph* in a thread of its own, telling about once a second how far it is."""
        news: queue.Queue[Progress] = queue.Queue()
        what = f"{graph} variant of {self.subject.info.name}"
        with ThreadPoolExecutor(1) as thread:
            building = thread.submit(
                self.store.build,
                self.subject.info,
                graph,
                self._calibration,
                min_accuracy=self.rules.min_accuracy,
                on_progress=news.put,
                cancelled=self.cancelled,
            )
            while not building.done():
                try:
                    progress = news.get(timeout=_TELL_EVERY_S)
                except queue.Empty:
                    continue
                while not news.empty():
                    progress = news.get()
                yield Working(
                    what=what, step=progress.step, done=progress.done, total=progress.total
                )
        variant = building.result()
        if variant is None:
            raise Cancelled
        return variant

    def _without_running(self, provider: str, precision: str) -> Judgement | None:
        """Return the judgement where nothing has to be run for it."""
        variant = self._variant(provider, precision)
        if isinstance(variant, Failed):
            return Judgement(provider=provider, precision=precision, failed=variant)
        if precision in _CALIBRATED and not self._real:
            return Judgement(
                provider=provider,
                precision=precision,
                calibrated_on=variant.calibrated_on if variant else None,
                uncalibrated=True,
            )
        return None

    def _compared(
        self, harness: Harness, provider: str, precision: str, reference: Sequence[Outputs]
    ) -> Generator[Working, None, Judgement]:
        about = Judgement(provider=provider, precision=precision)
        if isinstance(variant := self._variant(provider, precision), Variant):
            about = replace(
                about, float_nodes=variant.float_nodes, calibrated_on=variant.calibrated_on
            )
        answers = yield from self._answers(harness, provider, precision)
        if isinstance(answers, Failed):
            return replace(about, failed=answers)
        samples = min(self._samples.load().count, len(reference) * self._batch_size)
        accuracy = judge(
            reference,
            answers,
            output_names=[output.name for output in self.subject.info.outputs],
            judged_on="data" if self._real else "random inputs",
            samples=samples,
            labels=self._labels(samples),
            metric=self._metric(),
        )
        failed = None
        if not accuracy.passed(self.rules.min_accuracy):
            bound = f"at least {self.rules.min_accuracy:g} is wanted"
            failed = Failed("inaccurate", f"{accuracy}; {bound}")
        return replace(about, accuracy=accuracy, failed=failed)

    def _reference(self, harness: Harness) -> Generator[Working, None, list[Outputs]]:
        answers = yield from self._answers(harness, *_MEASURE)
        if isinstance(answers, Failed):
            raise ModelError(
                f"{self.subject.info.path.name} cannot be run by {BASELINE.provider}: "
                f"{answers.detail or answers.reason}; mend the model or export it again."
            )
        return answers

    def _answers(
        self, harness: Harness, provider: str, precision: str
    ) -> Generator[Working, None, list[Outputs] | Failed]:
        config = replace(
            BASELINE, batch_size=self._batch_size, provider=provider, precision=precision
        )
        failed = yield from load(harness, config)
        answers = failed or harness.outputs(config, self._samples)
        harness.unload(config)
        return answers if isinstance(answers, Failed) else [*answers]

    @property
    def _real(self) -> bool:
        return self.subject.inputs.data_path is not None

    @property
    def _may_calibrate(self) -> bool:
        return self._real or self.rules.allow_uncalibrated

    @property
    def _calibration(self) -> Calibration | None:
        if not self._may_calibrate:
            return None
        return Calibration(inputs=self.subject.inputs, method=self.rules.calibration)

    @property
    def _batch_size(self) -> int:
        fixed = self.subject.info.batch
        return 1 if fixed == "free" else fixed

    @property
    def _samples(self) -> InputSpec:
        """The samples to judge by: those that no calibration sees, where there are enough."""
        inputs = self.subject.inputs
        enough = self._real and inputs.load().count >= held_out.LEAST_SAMPLES
        return replace(inputs, part="held-out") if enough else inputs

    def _labels(self, most: int) -> Labels | None:
        if self.rules.labels is None:
            return None
        count = self.subject.inputs.load().count
        given = labels.load(Path(self.rules.labels), count)
        judged: Labels = given[held_out.samples(count, self._samples.part)][:most]
        return judged

    def _metric(self) -> Metric | None:
        if self.rules.metric is None:
            return None
        return metric.load(self.rules.metric, Path(self.rules.metric_folder or "."))


def passed(pairs: Iterable[Pair], judgements: Iterable[Judgement]) -> tuple[Pair, ...]:
    """Return those of *pairs* that none of *judgements* refuses.

    Raises ModelError, with the reasons, when none is left.
    """
    refused = {(j.provider, j.precision): j for j in judgements if j.failed is not None}
    left = tuple(pair for pair in pairs if pair not in refused)
    if not left and refused:
        raise ModelError(
            f"No precision is left to measure: {'; '.join(map(str, refused.values()))}."
        )
    return left


def still_offered(
    narrowed: Mapping[str, tuple[Value, ...]], subject: Subject
) -> dict[str, tuple[Value, ...]]:
    """Return *narrowed* without the providers and precisions that were refused."""
    known: dict[str, tuple[str, ...]] = {
        "provider": subject.providers,
        "precision": subject.every_precision,
    }
    return {
        name: tuple(value for value in values if name not in known or value in known[name])
        for name, values in narrowed.items()
    }
