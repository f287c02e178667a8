"""The profile in force: applied to this machine, published for others, verified, put back."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autotuner import durable, export, locations, store
from autotuner.core.deployable import check_measured, reasons_to_refuse
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import AutotunerError, InputError, MachineError, StateError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.profile import Profile
from autotuner.host import identity
from autotuner.host.power import PRESENT, PowerControl, PowerError, open_control, recover
from autotuner.host.power.journal import Journal
from autotuner.lock import HostLock

ENVIRONMENT = "autotune.env"
PROFILE = "profile.yaml"

_CLAIM_S = 10.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE = ("device", "cpu", "memory_gib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was put in force: *settings* are those of the power mode as they were read back.

    *since* is the time in seconds since 1970, *by* a user's name.
    """

    profile: str
    path: str
    model: str
    model_path: str
    power_mode: str
    by: str
    since: float
    boot_id: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An applied profile and what is otherwise now, in sentences."""

    applied: Applied
    differences: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether all is as it was applied."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Where things lie; /sys is below *root*."""

    state: Path
    published: Path
    lock: Path
    root: Path = Path("/")


class ActiveProfile:
    """Puts one profile in force at a time. Originals are on disk before anything is changed."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._record = sites.state / "applied.json"
        self._kept = store.ProfileStore(sites.state / "profiles")

    def apply(
        self, name: str | None, *, model: str | None = None, by: str, force: bool = False
    ) -> Standing:
        """Apply a profile, by name or path, or the newest proven one of *model*.

        Raises InputError for a profile that is simulated, and for one that is not fit for this
        machine, unless *force* says that it must be; MachineError while a job measures; PowerError
        when the power mode was not reached, and then the machine's own state is back and no profile
        applies.
        """
        path = self._find(name, model)
        profile = store.read(path)
        check_measured(profile)
        reasons = [*reasons_to_refuse(profile), *_strangeness(profile)]
        if reasons and not force:
            raise InputError(
                f"The profile {profile.name} is not fit for this box: {'; '.join(reasons)}. "
                "Tune here, or apply it all the same with --force."
            )
        if path.parent != self._kept.folder:
            path = self._kept.save(profile)
        try:
            return self._put_in_force(profile, path, by)
        except PowerError:
            self._forget()
            raise

    def reapply(self) -> Standing | None:
        """Apply again what was in force before a boot or a sleep; None when nothing was.

        What cannot be applied now is not forgotten. Raises what :meth:`apply` raises.
        """
        applied = self._applied()
        if applied is None:
            return None
        path = Path(applied.path)
        return self._put_in_force(store.read(path), path, applied.by)

    def restore(self) -> None:
        """Put back what was there before; raises PowerError naming what could not be."""
        with self._alone():
            self._forget()
            if left := recover(self._journal.path, root=self._sites.root):
                self._check_restored(left)

    def standing(self) -> Standing | None:
        """Return how the applied profile stands now, None when there is none."""
        applied = self._applied()
        if applied is None:
            return None
        return Standing(applied=applied, differences=tuple(self._differences(applied)))

    @property
    def _journal(self) -> Journal:
        return Journal(self._sites.state / "applied-power.json")

    def _find(self, name: str | None, model: str | None) -> Path:
        if (name is None) == (model is None):
            raise InputError("Say which profile: `autotune apply PROFILE` or --model MODEL.")
        if name is not None:
            return self._kept.find(name)
        for path in self._kept.paths():
            profile = store.read(path)
            fits = model in {profile.model.name, profile.model.path}
            if fits and profile.status == "proven":
                return path
        raise InputError(
            f"There is no proven profile of {model!r}; `autotune {model} --max-latency 50ms` "
            "makes one."
        )

    def _put_in_force(self, profile: Profile, path: Path, by: str) -> Standing:
        mode = profile.winner.config.power_mode
        applied = Applied(
            profile=profile.name,
            path=str(path),
            model=profile.model.name,
            model_path=profile.model.path,
            power_mode=mode,
            by=by,
            since=round(time.time(), 3),
            boot_id=_boot_id(),
        )
        with self._alone():
            try:
                self._publish(profile, path)
                applied = replace(applied, settings=self._set_power(mode))
                self._remember(applied)
            except AutotunerError:
                shutil.rmtree(self._sites.published, ignore_errors=True)
                raise
        return Standing(applied=applied, differences=tuple(self._differences(applied)))

    def _set_power(self, mode: str) -> Mapping[str, str]:
        """Set *mode* over the machine's own state and return its settings as they read back."""
        control, journal = self._control(), self._journal
        journal.claim(_CLAIM_S)
        try:
            base = control.current()
            try:
                kept = journal.read()
            except ValueError:
                journal.set_aside()
                kept = None
            if kept is not None and kept[1]:  # of this boot: an earlier profile is in force
                base = replace(base, values={**base.values, **kept[0].values})
            if mode == PRESENT and kept is None:
                return {}
            journal.write(base)
            try:
                control.apply(mode, base)
            except PowerError as error:
                left = control.restore(base)
                if not left:
                    journal.remove()
                raise PowerError(" ".join([str(error), *left])) from error
            wanted = next((m.settings for m in control.modes() if m.name == mode), {})
            now = control.current().values
            if not wanted:
                journal.remove()
            return {name: now[name] for name in wanted if name in now}
        finally:
            journal.release()

    def _publish(self, profile: Profile, path: Path) -> None:
        folder = self._sites.published
        try:
            folder.mkdir(parents=True, exist_ok=True)
            durable.write(folder / PROFILE, path.read_bytes())
            text = export.files(profile, "env")[ENVIRONMENT]
            durable.write(folder / ENVIRONMENT, text.encode())
        except OSError as error:
            raise StateError(
                f"The profile cannot be published in {folder}: {error.strerror}; mend that."
            ) from error

    def _forget(self) -> None:
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self._sites.published, ignore_errors=True)

    def _remember(self, applied: Applied) -> None:
        try:
            durable.write(self._record, json.dumps(encode(applied), indent=1).encode())
        except OSError as error:
            raise StateError(
                f"{self._record} cannot be written: {error.strerror}; mend that and apply again."
            ) from error

    def _applied(self) -> Applied | None:
        try:
            applied: Applied = decode(Applied, json.loads(self._record.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, InputError):
            self._record.replace(self._record.with_suffix(".damaged"))
            return None
        return applied

    def _differences(self, applied: Applied) -> list[str]:
        """Return what is not as it was applied, in sentences."""
        if applied.boot_id != _boot_id():
            return ["It was applied before the last boot and not since."]
        now = self._control().current().values if applied.settings else {}
        found = [
            f"{name} was set to {value!r} and is {now.get(name, 'gone')!r}."
            for name, value in applied.settings.items()
            if now.get(name) != value
        ]
        found += [
            f"{path} is gone."
            for path in (self._sites.published / ENVIRONMENT, Path(applied.path))
            if not path.is_file()
        ]
        if not Path(applied.model_path).is_file():
            found.append(f"The model {applied.model_path} is gone.")
        return found

    def _control(self) -> PowerControl:
        return open_control(self._sites.root, dvfs=True)

    def _check_restored(self, said: tuple[str, ...]) -> None:
        if self._journal.path.exists():
            raise PowerError(" ".join(said))

    def _alone(self) -> HostLock:
        """Return the host-wide lock, taken; raises MachineError while a job measures."""
        lock = HostLock(self._sites.lock)
        if not lock.acquire():
            holder = lock.holder
            lock.__exit__()
            raise MachineError(
                f"A job measures on this box (process {holder}), and power modes would spoil it; "
                "wait until it ends, or pause it with `autotune pause`."
            )
        return lock


def on_this_box() -> ActiveProfile:
    """Return the profile in force on this box, for the user that asks."""
    return ActiveProfile(
        Sites(
            state=locations.state_dir(),
            published=locations.published_dir(),
            lock=locations.lock_file(),
        )
    )


def _strangeness(profile: Profile) -> list[str]:
    """Return in which ways *profile* is of another machine than this one."""
    here = Fingerprint(
        device=identity.device(), cpu=identity.cpu(), memory_gib=identity.memory_gib()
    )
    return [
        f"it is for another {name} ({getattr(profile.fingerprint, name)}; "
        f"here: {getattr(here, name)})"
        for name in _MACHINE
        if getattr(profile.fingerprint, name) != getattr(here, name)
    ]


def _boot_id() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()
