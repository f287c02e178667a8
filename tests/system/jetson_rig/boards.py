"""The boards that there are: names, clocks, rails and power modes as the vendor documents them."""

from __future__ import annotations

from dataclasses import dataclass

_CPU_KHZ = tuple(115_200 + 76_800 * step for step in range(22))


@dataclass(frozen=True, kw_only=True)
class PowerMode:
    """What nvpmodel sets; a limit of None is none. A *mask* is changed by a reboot alone."""

    number: int
    name: str
    cores: int
    cpu_khz: int | None
    gpu_hz: int | None
    emc_hz: int | None
    mask: int


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board; *clusters* are (first CPU, last CPU + 1), *rails* the labels by I2C address.

    *cpu_w* is what one core draws at its highest clock, *gpu_w* what the GPU does.
    """

    model: str
    compatible: tuple[str, ...]
    ids: str
    clusters: tuple[tuple[int, int], ...]
    cpu_khz: tuple[int, ...]
    gpu_hz: tuple[int, ...]
    rails: dict[str, tuple[str, ...]]
    cpu_w: float
    gpu_w: float
    modes: tuple[PowerMode, ...]
    default: int
    emc_hz: tuple[int, int] = (204_000_000, 3_199_000_000)

    @property
    def cores(self):
        """How many CPUs there are."""
        return self.clusters[-1][1]


def _mode(number, name, cores, cpu_khz, gpu_hz, emc_hz, mask):
    return PowerMode(
        number=number,
        name=name,
        cores=cores,
        cpu_khz=cpu_khz,
        gpu_hz=gpu_hz,
        emc_hz=emc_hz,
        mask=mask,
    )


BOARDS = {
    "orin-nano": Board(
        model="NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
        compatible=("nvidia,p3768-0000+p3767-0005-super", "nvidia,p3767-0005", "nvidia,tegra234"),
        ids="3767:0005",
        clusters=((0, 4), (4, 6)),
        cpu_khz=_CPU_KHZ,
        gpu_hz=tuple(306_000_000 + 102_000_000 * step for step in range(8)),
        rails={"1-0040": ("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC")},
        cpu_w=0.75,
        gpu_w=7.0,
        modes=(
            _mode(0, "15W", 6, 1_497_600, 612_000_000, 2_133_000_000, 240),
            _mode(1, "25W", 6, 1_344_000, 918_000_000, 3_199_000_000, 240),
            _mode(2, "MAXN_SUPER", 6, None, None, None, 240),
            _mode(3, "7W", 4, 960_000, 408_000_000, 2_133_000_000, 252),
        ),
        default=1,
    ),
    "agx-orin": Board(
        model="Jetson AGX Orin Developer Kit",
        compatible=("nvidia,p3737-0000+p3701-0005", "nvidia,p3701-0005", "nvidia,tegra234"),
        ids="3701:0005",
        clusters=((0, 4), (4, 8), (8, 12)),
        cpu_khz=(
            *_CPU_KHZ,
            *(1_804_800, 1_881_600, 1_958_400, 2_035_200, 2_112_000, 2_188_800, 2_201_600),
        ),
        gpu_hz=(*(306_000_000 + 102_000_000 * step for step in range(10)), 1_300_500_000),
        rails={
            "1-0040": ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
            "1-0041": ("NC", "VDDQ_VDD2_1V8AO", "NC"),
        },
        cpu_w=1.4,
        gpu_w=28.0,
        modes=(
            _mode(0, "MAXN", 12, None, None, None, 0),
            _mode(1, "MODE_15W", 4, 1_113_600, 408_000_000, 2_133_000_000, 248),
            _mode(2, "MODE_30W", 8, 1_728_000, 612_000_000, None, 240),
            _mode(3, "MODE_50W", 12, 1_497_600, 816_000_000, None, 0),
        ),
        default=3,
    ),
}
