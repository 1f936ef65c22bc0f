"""Operations as they are dispatched: how many, which of them wait for a device, and the memory alive between them."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITING = {
    *("aten::_local_scalar_dense", "aten::item", "aten::is_nonzero", "aten::equal"),
    *("aten::nonzero", "aten::masked_select", "aten::_unique2", "aten::unique_dim", "aten::bincount"),
}
"""What makes a process wait for a GPU: numbers read from it, and shapes that depend on values."""


class Dispatched(TorchDispatchMode):
    """Counts operations, which on a GPU are about as many kernels, and lists those that wait for the device."""

    def __init__(self):
        super().__init__()
        self.operations = 0
        self.waits = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = str(function)
        self.operations += not any(word in name for word in ("view", "detach", "transpose", "expand", "aten.t."))
        masked = function.name().startswith("aten::index.") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in arguments[1]
        )
        if masked or function.name().partition(".")[0] in WAITING:
            self.waits.append(name)
        return function(*arguments, **(keywords or {}))


def counted(call):
    with Dispatched() as dispatched:
        call()
    return dispatched


class Alive(TorchDispatchMode):
    """The most bytes of new tensors that were alive at one time."""

    def __init__(self):
        super().__init__()
        self.alive, self.most = {}, 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        given = {each.untyped_storage().data_ptr() for each in tree_leaves(arguments) if torch.is_tensor(each)}
        for tensor in tree_leaves(result):
            if torch.is_tensor(tensor) and tensor.untyped_storage().data_ptr() not in given:  # else a view
                storage = tensor.untyped_storage()
                self.alive[storage.data_ptr()] = (StorageWeakRef(storage), storage.nbytes())
        self.alive = {key: value for key, value in self.alive.items() if not value[0].expired()}
        self.most = max(self.most, sum(size for _, size in self.alive.values()))
        return result
