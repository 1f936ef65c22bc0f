"""README's loop as a script that runs by itself."""

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SETTING = """
import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
heads = nn.ModuleList(nn.Linear(4, 3) for _ in range(2))
before = [parameter.clone() for parameter in encoder.parameters()]
optimizer = torch.optim.SGD([*encoder.parameters(), *heads.parameters()], lr=0.1)
loader = [(torch.randn(8, 6), [torch.randint(3, (8,)) for _ in heads]) for _ in range(2)]
"""
CHECKS = """
assert all(not torch.equal(old, new) for old, new in zip(before, encoder.parameters(), strict=True))
assert all(parameter.grad is None for parameter in regularizer.parameters())
"""


def example() -> str:
    """The first block of Python in the README."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]


def script() -> str:
    """The example with a small model and data before it, and checks of what it did behind it."""
    return SETTING + example() + CHECKS
