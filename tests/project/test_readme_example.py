import re
from pathlib import Path

import torch
from torch import nn

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_example_trains_a_plain_torch_loop():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    statements = [line for line in code.splitlines() if line.strip()]
    assert len(statements) <= 10
    encoder = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    heads = nn.ModuleList(nn.Linear(4, 3) for _ in range(2))
    before = [parameter.clone() for parameter in encoder.parameters()]
    names = {
        "encoder": encoder,
        "heads": heads,
        "optimizer": torch.optim.SGD([*encoder.parameters(), *heads.parameters()], lr=0.1),
        "loader": [(torch.randn(8, 6), [torch.randint(3, (8,)) for _ in heads]) for _ in range(2)],
    }
    exec(code, names)
    assert all(not torch.equal(old, new) for old, new in zip(before, encoder.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in names["regularizer"].parameters())
