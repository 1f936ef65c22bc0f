"""Torch's compiler is loaded by who uses it, and not by an optimizer's step."""

import subprocess
import sys

STEPS = """
import sys, torch
from dgr.core.torch_compiler import leave_compiler_unloaded
if {unloaded}:
    leave_compiler_unloaded()
torch.manual_seed(0)
for make in (torch.optim.Adam, torch.optim.SGD, torch.optim.LBFGS):
    x = torch.nn.Parameter(torch.rand(3))
    optimizer = make([x], lr=0.1)
    def loss():
        optimizer.zero_grad()
        value = (x**2).sum()
        value.backward()
        return value
    for _ in range(3):
        optimizer.step(loss)
    print(x.tolist(), x.requires_grad, torch.is_grad_enabled())
print(any(name.startswith("torch._dynamo.") for name in sys.modules), file=sys.stderr)
"""
COMPILED = """
print(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2)).tolist())
import torch._dynamo.utils
print(torch._dynamo is sys.modules["torch._dynamo"], torch._dynamo.utils.counters["frames"]["ok"] > 0)
"""


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_optimizers_step_as_before_without_the_compiler():
    usual, without = (python(STEPS.format(unloaded=unloaded)) for unloaded in (False, True))
    assert (usual.stderr, without.stderr) == ("True\n", "False\n")
    assert without.stdout == usual.stdout
    assert without.stdout.count("True True") == 3


def test_whoever_compiles_gets_the_compiler():
    done = python(STEPS.format(unloaded=True) + COMPILED)
    assert done.stdout.splitlines()[-2:] == ["[2.0, 2.0]", "True True"]
