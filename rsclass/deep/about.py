"""What torch is here and where it computes."""

from __future__ import annotations

import torch

__all__ = ["torch_about"]


def torch_about() -> str:
    """Version, and the accelerator if there is one."""
    if torch.cuda.is_available():
        return f"{torch.__version__}, {torch.cuda.get_device_name(0)}"
    return f"{torch.__version__}, processor only"
