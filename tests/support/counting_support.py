"""Operations counted as they are dispatched: on a GPU, about as many kernels."""

from torch.utils._python_dispatch import TorchDispatchMode

WAITING = ("_local_scalar_dense", "nonzero", "aten.equal", "masked_select")


class Dispatched(TorchDispatchMode):
    """Counts operations, which on a GPU are about as many kernels, and lists those that wait for the device."""

    def __init__(self):
        super().__init__()
        self.operations = 0
        self.waits = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = str(function)
        self.operations += not any(word in name for word in ("view", "detach", "transpose", "expand", "aten.t."))
        if any(
            word in name for word in ("_local_scalar_dense", "nonzero", "is_nonzero", "aten.equal", "masked_select")
        ):
            self.waits.append(name)
        return function(*arguments, **(keywords or {}))


def counted(call):
    with Dispatched() as dispatched:
        call()
    return dispatched
