"""What nobody can compute of a machine and its data, to be given, with defaults that are assumptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Each is an assumption until it was measured."""

    tflops: float = 60.0
    """10^12 operations a second that a GPU keeps up in training."""
    disk_gb_s: float = 1.0
    """10^9 bytes a second of the disk that all GPUs read from."""
    image_mb: float = 0.5
    """10^6 bytes of a mean image file."""
    text_tokens: float = 128.0
    """Tokens of a mean sample without its image: instruction, question and answer."""

    @property
    def flops(self) -> float:
        """Operations a second of a GPU."""
        return self.tflops * 1e12

    @property
    def disk(self) -> float:
        """Bytes a second of the disk."""
        return self.disk_gb_s * 1e9
