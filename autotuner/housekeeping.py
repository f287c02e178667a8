"""The job that lists or clears what can be made again."""

from __future__ import annotations

from pathlib import Path

from autotuner.core.events import CacheDone, CachedVariant
from autotuner.core.request import CacheRequest
from autotuner.model.variants import VariantStore

_MIB = 2**20


def keep_house(request: CacheRequest, cache_dir: Path) -> CacheDone:
    """List the precision variants in *cache_dir*, or remove them all."""
    store = VariantStore(cache_dir)
    if request.clear:
        return CacheDone(freed_mib=store.clear() / _MIB)
    return CacheDone(
        variants=tuple(
            CachedVariant(
                model=entry.model,
                variant=entry.variant,
                size_mib=entry.size_bytes / _MIB,
                calibrated_on=entry.calibrated_on,
            )
            for entry in store.entries()
        )
    )
