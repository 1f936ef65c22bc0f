"""Kernels that every processor has: set by each command, never by the library, and refused when it is too late."""

import os
import platform
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import font_manager
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from threadpoolctl import threadpool_info

from dgr.core import numerics as module
from dgr.core.errors import DGRError
from dgr.core.numerics import HARMLESS, KERNELS, make_portable, numerics
from dgr.figures.shared.style import RC

CLEAN = {name: value for name, value in os.environ.items() if name not in HARMLESS | KERNELS}
portable_machine = pytest.mark.skipif(numerics() != "portable x86-64", reason="this machine's numbers are its own")


def python(code, environment=CLEAN):
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_a_command_sets_them_before_anything_is_computed():
    code = (
        "import os, sys; from dgr.__main__ import main; sys.argv = ['dgr', 'list']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "from dgr.core.numerics import numerics; print(numerics(), os.environ['OMP_NUM_THREADS'])"
    )
    assert python(code).stdout.splitlines()[-1] == f"{numerics()} 1"


def test_the_library_sets_nothing():
    code = (
        "import os; before = dict(os.environ)\n"
        "from dgr import DummyGradientNorm; import torch; from dgr.core.numerics import numerics\n"
        "assert dict(os.environ) == before; print(numerics(), torch.sqrt(torch.tensor(4.0)).item())"
    )
    done = python(code)
    assert done.stdout == f"native ({sys.platform} {platform.machine()}) 2.0\n", done.stderr


@pytest.mark.parametrize("early", ["numpy", "torch"])
def test_too_late_is_one_sentence(early):
    code = f"import sys, {early}; from dgr.__main__ import main; sys.argv = ['dgr', 'plan', '--check']; main()"
    done = python(code)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    # torch itself loads numpy
    assert sentence.startswith("dgr: numpy was loaded before this process was told to compute the same numbers")
    assert "run the command as `python -m dgr …`" in sentence


@portable_machine
def test_libraries_do_as_they_are_told():
    """Also after an upgrade that gives other names to what a variable names."""
    assert torch.backends.cpu.get_cpu_capability() == "AVX2"
    assert torch.get_num_threads() == 1
    assert {name for name in __cpu_dispatch__ if __cpu_features__[name]} == set()
    np.ones((2, 2)) @ np.ones((2, 2))
    libraries = [library for library in threadpool_info() if library["internal_api"] == "openblas"]
    assert libraries
    assert {(library["architecture"], library["num_threads"]) for library in libraries} == {("Haswell", 1)}


def test_other_machines_get_what_does_no_harm_and_say_whose_numbers_they_have(monkeypatch):
    environment = {"NPY_DISABLE_CPU_FEATURES": "mine"}
    monkeypatch.setattr(module.os, "environ", environment)
    monkeypatch.setattr(module.sys, "modules", {})
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "aarch64")
    make_portable()
    assert environment == HARMLESS | {"NPY_DISABLE_CPU_FEATURES": "mine"}
    assert numerics() == "native (linux aarch64)"


def test_a_processor_without_the_kernels_is_not_sent_into_them(monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    for flags, expected in (("sse2 avx2 fma sse4_2", True), ("sse2 sse4_2 avx", False)):
        text = f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: avx2 fma\n"
        monkeypatch.setattr(module.Path, "read_text", lambda self, encoding, text=text: text)
        assert module._has_kernels() is expected


def test_what_is_set_already_is_no_mistake_and_what_is_not_is(monkeypatch):
    make_portable()  # numpy is loaded, and was told
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with pytest.raises(DGRError, match="numpy was loaded before"):
        make_portable()
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_numbers_of_a_gpu_are_its_own():
    assert numerics("cuda") == "native (cuda)"


@portable_machine
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_square_roots_are_exact(dtype):
    x = torch.rand(7, 333, dtype=dtype, generator=torch.Generator().manual_seed(0)).T
    exact = torch.from_numpy(np.sqrt(x.numpy()))
    assert torch.equal(torch.sqrt(x), exact)
    assert torch.equal(x.clone().sqrt_(), exact)
    assert torch.equal(torch.sqrt(x, out=torch.empty_like(x)), exact)
    leaf = x.clone().requires_grad_()
    leaf.sqrt().sum().backward()
    assert torch.equal(leaf.grad, 1 / (2 * exact))
    assert torch.equal(torch.vmap(torch.sqrt)(x), exact)
    assert torch.tensor(-1.0, dtype=dtype).sqrt().isnan()
    assert torch.equal(torch.tensor([4, 9]).sqrt(), torch.tensor([2.0, 3.0]))


def test_figures_use_matplotlibs_own_font():
    assert font_manager.findfont(RC["font.family"]).startswith(mpl.get_data_path())
