from __future__ import annotations

import numpy as np
import pytest

from autotuner.core.errors import ModelError
from autotuner.model.accuracy import judge
from autotuner.model.metric import Metric

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order():
    """Let each test draw the numbers that it draws alone: they run in random order."""
    rng.bit_generator.state = np.random.default_rng(0).bit_generator.state


def verdict(reference, candidate, **options):
    """Judge one output, given as one array for all runs."""
    return judge(
        [[row[None]] for row in reference],
        [[row[None]] for row in candidate],
        output_names=["y"],
        judged_on="data",
        samples=len(reference),
        **options,
    )


def class_scores(count=300, classes=10, margin=5.0):
    """Return scores of a network that knows its classes, and the classes."""
    best = rng.integers(0, classes, count)
    scores = rng.standard_normal((count, classes))
    scores[np.arange(count), best] = scores.max(-1) + margin
    return scores.astype(np.float32), best


def noisy(values, level):
    """Return *values* with noise of the amplitude *level* times theirs."""
    return (values + rng.standard_normal(values.shape) * level * values.std()).astype(np.float32)


def test_equal_outputs_lose_nothing():
    """FP32 beside itself scores 1, and its ratio of signal to noise is where float32 ends."""
    values = rng.standard_normal((5, 7))
    result = verdict(values, values)
    assert result.score == 1
    assert result.outputs[0].snr_db == 150
    assert result.outputs[0].cosine == pytest.approx(1)


@pytest.mark.parametrize(("level", "decibels"), [(0.1, 20), (0.01, 40)])
def test_noise_is_told_in_decibels(level, decibels):
    """A tenth of the amplitude is 20 dB, and costs half a per cent."""
    values = rng.standard_normal((50, 100))
    result = verdict(values, noisy(values, level))
    assert result.judged_by == "signal to noise"
    assert result.outputs[0].snr_db == pytest.approx(decibels, abs=0.3)
    assert result.score == pytest.approx(1 - level**2 / 2, abs=1e-3)
    assert result.score == pytest.approx(result.outputs[0].cosine, abs=1e-3)


def test_an_error_in_scale_does_not_hide_behind_the_cosine():
    """Outputs eight times too large point the same way and are wrong."""
    values = rng.standard_normal((5, 50))
    result = verdict(values, values * 8)
    assert result.outputs[0].cosine == pytest.approx(1)
    assert not result.passed()


def test_a_detectors_boxes_do_not_drown_its_class_scores():
    """Channels of another magnitude are judged apart: lost scores are seen beside right boxes."""
    boxes = rng.uniform(50, 300, (4, 4, 60))
    scores = rng.uniform(0, 1, (4, 20, 60)) ** 4
    right = np.concatenate([boxes, scores], axis=1)
    lost = np.concatenate([boxes, np.zeros_like(scores)], axis=1)
    assert verdict(right, noisy(right, 0) + 0).passed()
    assert verdict(right, lost).score < 0.6
    assert verdict(right.transpose(0, 2, 1), lost.transpose(0, 2, 1)).score < 0.6


def test_classes_are_judged_by_their_best():
    """A classifier may be noisy as long as its answers stay."""
    scores, _ = class_scores()
    result = verdict(scores, noisy(scores, 0.2))
    assert result.judged_by == "top-1 agreement"
    assert result.outputs[0].snr_db < 15
    assert result.score == 1
    assert result.outputs[0].top5 == 1


def test_changed_answers_are_counted():
    """The score is the share of answers that stayed."""
    scores, _ = class_scores(200)
    other = scores.copy()
    other[:20] = np.roll(other[:20], 1, axis=-1)
    assert verdict(scores, other).score == pytest.approx(0.9)


def test_answers_that_fp32_leaves_open_do_not_count():
    """Where two classes are all but equal, either is right."""
    scores, best = class_scores(200)
    rows = np.arange(20)
    scores[rows, (best[:20] + 1) % 10] = scores[rows, best[:20]] - 0.01
    other = scores.copy()
    other[rows, (best[:20] + 1) % 10] += 0.02
    assert verdict(scores, other).score == 1


@pytest.mark.parametrize(
    "scores",
    [
        class_scores(60)[0],
        np.eye(10)[np.zeros(300, int)],
        rng.standard_normal((300, 512)),
    ],
    ids=["few answers", "one class only", "an embedding"],
)
def test_what_is_no_classifier_is_judged_by_its_numbers(scores):
    """Too few answers, a single class or no margin say nothing by their best class."""
    assert verdict(scores, noisy(scores, 0.01)).judged_by == "signal to noise"


def texts():
    """Return the best classes of 40 sequences of 30 steps with six labels each, blanks between."""
    best = np.zeros((40, 30), int)
    best[:, ::5] = rng.integers(1, 20, (40, 6))
    return best


def test_blanks_do_not_hide_changed_characters():
    """Of the steps of a text most are blank; a third of the characters being wrong is a third."""
    best = texts()
    wrong = best.copy()
    wrong[:, ::15] += 20
    result = verdict(np.eye(40)[best], np.eye(40)[wrong])
    assert result.judged_by == "top-1 agreement"
    assert result.score == pytest.approx(2 / 3)


def test_the_best_reading_of_two_texts_counts():
    """Four of these six labels are read; who begins with the first equal pair finds only two."""
    best, wrong = np.zeros((40, 30), int), np.zeros((40, 30), int)
    best[:, ::5] = [1, 3, 2, 2, 1, 3]
    wrong[:, ::5] = [9, 3, 2, 9, 1, 3]
    assert verdict(np.eye(20)[best], np.eye(20)[wrong]).score == pytest.approx(4 / 6)


def test_a_text_that_is_read_a_step_later_is_the_same():
    """Characters that move or last longer change nothing; one that is lost does."""
    best = texts()
    assert verdict(np.eye(40)[best], np.eye(40)[np.roll(best, 1, axis=1)]).score == 1
    longer = best + np.roll(best, 1, axis=1)
    assert verdict(np.eye(40)[best], np.eye(40)[longer]).score == 1
    lost = best.copy()
    lost[:, 5] = 0
    assert verdict(np.eye(40)[best], np.eye(40)[lost]).score == pytest.approx(5 / 6)


def test_the_background_of_an_image_does_not_count():
    """Half of the few pixels that are not background being lost is a half."""
    best = np.zeros((4, 20, 20), int)
    best[:, 3:9, 3:13] = rng.integers(1, 5, (4, 6, 10))
    lost = best.copy()
    lost[:, 3:6] = 0
    left, right = (np.eye(5)[labels].transpose(0, 3, 1, 2) for labels in (best, lost))
    result = verdict(left, right)
    assert result.judged_by == "top-1 agreement"
    assert result.score == pytest.approx(0.5)


def test_labels_decide_by_the_ratio_of_accuracies():
    """With labels FP32's own errors cost a variant nothing."""
    scores, best = class_scores(200)
    labels = best.copy()
    labels[:40] = (labels[:40] + 1) % 10
    other = scores.copy()
    other[-16:] = np.roll(other[-16:], 1, axis=-1)
    result = verdict(scores, other, labels=labels)
    assert (result.judged_by, result.reference_top1, result.top1) == ("labels", 0.8, 0.72)
    assert result.score == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full(200, 77), "No answer of the model fits"),
        (np.zeros(201, int), "201 labels for 200 answers"),
    ],
)
def test_labels_that_do_not_match_are_refused(labels, message):
    """Labels of something else would judge nothing."""
    scores, _ = class_scores(200)
    with pytest.raises(ModelError, match=message):
        verdict(scores, scores, labels=labels)


def test_labels_need_class_scores():
    """A network without classes has no use for labels."""
    image = rng.standard_normal((4, 3, 8, 8))
    with pytest.raises(ModelError, match="samples x classes"):
        verdict(image, image, labels=np.zeros(4, int))


def test_the_last_batch_may_be_filled_up():
    """A model with a fixed batch repeats samples at the end; labels do not."""
    scores, best = class_scores(200)
    assert verdict(scores, scores, labels=best[:190]).top1 == 1


def test_nan_names_the_output():
    """A number that FP32 has and the variant has not is a fault."""
    values = rng.standard_normal((3, 4))
    broken = values.copy()
    broken[1, 2] = np.nan
    result = verdict(values, broken)
    assert result.faults == ("y holds NaN or infinity where FP32's does not",)
    assert not result.passed(0)


def test_what_fp32_leaves_undefined_says_nothing():
    """The infinity of a mask is no fault of the variant's."""
    values = rng.standard_normal((3, 4))
    values[:, 0] = -np.inf
    assert verdict(values, values).score == 1


def test_an_output_without_a_finite_number_is_a_fault():
    """Nothing can be judged where FP32 says nothing."""
    values = np.full((3, 4), np.nan)
    assert "FP32 too" in verdict(values, values).faults[0]


def test_another_shape_is_a_fault():
    """Other numbers of detections cannot be laid beside each other."""
    result = verdict(np.zeros((2, 5)), np.zeros((2, 6)))
    assert result.faults == ("y has shape (1, 6) where FP32's is (1, 5)",)


@pytest.mark.parametrize("values", [np.arange(8), np.array(list("abcdefgh")), np.arange(8) > 3])
def test_what_has_no_fractions_is_counted(values):
    """Integers, text and booleans are equal or not."""
    other = values.copy()
    other[0] = values[-1]
    result = verdict(values[:, None], other[:, None])
    assert (result.score, result.judged_by) == (7 / 8, "equal elements")


def test_a_sequence_of_tensors_is_compared_as_its_numbers():
    """Not every output is a tensor."""
    pieces = [rng.standard_normal((2, 3)), rng.standard_normal(4)]
    result = judge(
        [[pieces]],
        [[[piece + 1 for piece in pieces]]],
        output_names=["y"],
        judged_on="data",
        samples=1,
    )
    assert result.score < 0.9


def test_the_worst_output_decides():
    """One broken output of several is a broken model."""
    good, bad = rng.standard_normal((2, 1, 50))
    result = judge(
        [[good, bad]],
        [[good, -bad]],
        output_names=["good", "bad"],
        judged_on="random inputs",
        samples=1,
    )
    assert [output.score for output in result.outputs] == [1, 0]
    assert result.score == 0


def test_narrow_floats_and_complex_numbers_are_numbers():
    """FP16 and complex outputs are compared as they are meant."""
    values = rng.standard_normal((4, 16))
    assert verdict(values, values.astype(np.float16)).score > 0.9999
    assert verdict(values * 1j, values * -1j).score == 0


def test_the_users_function_decides():
    """It gets the outputs by name, one mapping for each run."""

    def half(reference, candidate):
        assert [set(run) for run in reference] == [{"y"}] * 3
        return candidate[0]["y"][0, 0]

    values = np.full((3, 4), 0.5)
    result = verdict(values, values, metric=Metric("mine:half", half))
    assert (result.score, result.judged_by) == (0.5, "mine:half")
