"""A fit with Lightning, in a precision of its Trainer."""

import sys
import tempfile

import torch
from toy import Penalised, batch

try:
    import lightning.pytorch as lightning
except ImportError:
    import pytorch_lightning as lightning


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.model = Penalised()
        self.seen: list[float] = []

    def training_step(self, rows: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        loss = self.model(*rows)
        self.seen.append(loss.item())
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([p for p in self.parameters() if p.requires_grad], 0.05)


images, labels = batch()
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=32)
module = Module()
with tempfile.TemporaryDirectory() as folder:
    lightning.Trainer(
        accelerator="cpu",
        devices=1,
        precision=sys.argv[1],
        max_epochs=20,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    ).fit(module, data)
assert len(module.seen) == 20
assert module.seen[-1] < module.seen[0], module.seen
