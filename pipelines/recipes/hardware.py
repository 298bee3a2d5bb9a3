"""What `plan` assumes of the machines a recipe is meant for; no output depends on it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Devices, their peak, and the share of it that training is assumed to reach."""

    kind: str
    devices: int
    peak_flops: float
    """Dense BF16 floating-point operations a second, one device."""
    utilization: float
    """Model FLOP utilisation; an assumption until it is measured on that hardware."""
    memory_bytes: float
    """Of one device."""
    dollars_per_hour: float = 0.0
    """Price of one device-hour."""


LAPTOP = Hardware(kind="cpu", devices=1, peak_flops=400e9, utilization=0.5, memory_bytes=8e9)
"""Two cores with AVX512-BF16: bare GEMM reaches about 400 GFLOP/s, 250 tokens/s at 135M parameters is half of it."""

ONE_GPU = Hardware(kind="H100", devices=1, peak_flops=989e12, utilization=0.35, memory_bytes=80e9, dollars_per_hour=2.5)
"""H100 SXM data sheet, dense BF16; utilisation and price are our assumption."""

CLUSTER = Hardware(
    kind="H100", devices=64, peak_flops=989e12, utilization=0.40, memory_bytes=80e9, dollars_per_hour=2.5
)
"""Eight nodes of eight; 40% is 400 TFLOP/s a device, the usual figure for 7B to 14B dense models."""
