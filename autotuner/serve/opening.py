"""Open a profile: find it, make sure that it holds here, and start its workers."""

from __future__ import annotations

from pathlib import Path

from autotuner import backends, locations, store, venue
from autotuner.core.deployable import check_measured, reasons_to_refuse
from autotuner.core.errors import InputError, StateError
from autotuner.core.profile import Profile
from autotuner.guard import Guard
from autotuner.model.variants import VariantStore
from autotuner.serve.layout import BatchLayout
from autotuner.serve.messages import Open
from autotuner.serve.pool import ServingPlan, ServingPool


def open_profile(
    name: str | Path, *, force: bool = False, most_waiting: int | None = None
) -> ServingPool:
    """Start the workers of a profile and return them as a pool to be used in a ``with`` block.

    *name* is a profile's name or file, or a model, whose newest proven profile is taken. At most
    *most_waiting* samples wait (None: four batches for every worker). Raises InputError for a
    profile that does not hold for this machine and model as they are now, unless *force* says to
    try all the same; power modes are not touched: `autotune apply` sets them. Raises MpsError where
    the workers are to share a GPU by MPS and that cannot be switched on.
    """
    profile = find(str(name), store.ProfileStore(locations.state_dir() / "profiles"))
    return ServingPool(plan(profile, force=force), most_waiting=most_waiting)


def find(name: str, kept: store.ProfileStore) -> Profile:
    """Return the profile that *name* means; raises InputError when there is none."""
    path = Path(name)
    if path.suffix != ".onnx":
        try:
            return store.read(kept.find(name))
        except InputError:
            pass  # it may be a model's name
    meant = {name, str(path.absolute())}
    for candidate in kept.paths():
        try:
            profile = store.read(candidate)
        except StateError:
            continue
        if meant & {profile.model.name, profile.model.path} and profile.status == "proven":
            return profile
    raise InputError(
        f"There is no proven profile of {name!r}; `autotune {name} --max-latency 50ms` makes one."
    )


def plan(profile: Profile, *, force: bool) -> ServingPlan:
    """Return what *profile* wants to be started; raises InputError when it does not hold here."""
    check_measured(profile)
    cache = locations.make_folder(locations.cache_dir())
    subject = venue.resolve(profile.workload, cache)
    changed = subject.fingerprint.differences(profile.fingerprint)
    reasons = [*reasons_to_refuse(profile), *(f"{name} has changed" for name in changed)]
    if reasons and not force:
        raise InputError(
            f"The profile {profile.name} does not hold here: {'; '.join(reasons)}. Tune again, or "
            "open it with force=True."
        )
    config = profile.winner.config
    guard = Guard(
        subject=subject,
        rules=profile.workload.accuracy,
        store=VariantStore(cache),
        cancelled=lambda: False,
    )
    for _ in guard.build([(config.provider, config.precision)]):
        pass  # it is in the cache already, as a rule
    layout = BatchLayout(tensors=subject.inputs.tensors, batch_size=config.batch_size)
    served = config.max_queue_delay_ms is not None
    asked = tuple(
        Open(
            model=guard.graph_of(config),
            config=config,
            cpus=cpus,
            layout=layout,
            # Back to back the next batch lies ready when one ends; requests are batched last.
            slots=config.streams * (1 if served else 2),
            whole_batches=subject.info.batch != "free",
        )
        for cpus in subject.topology.cpu_sets(
            config.affinity, config.workers, config.intra_op_threads
        )
    )
    return ServingPlan(
        asked=asked,
        backend=backends.locate(config.provider),
        outputs=tuple(output.name for output in subject.info.outputs),
        max_delay_s=(config.max_queue_delay_ms or 0.0) / 1e3,
        mps=bool(config.mps),
    )
