"""Mixed precision by hand on a CPU: the gradient under autocast is float32's, up to what half precision rounds."""

import sys

import torch
from toy import Penalised, batch, cosine, gradients

kind = {"bf16": torch.bfloat16, "fp16": torch.float16}[sys.argv[1]]
images, labels = batch()
reference = Penalised(strength=10.0)
reference(images, labels).backward()
model = Penalised(strength=10.0)
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05)
scaler = torch.amp.GradScaler("cpu", enabled=kind is torch.float16)  # its first scale is 65536
losses = []
for step in range(20):
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=kind):
        loss = model(images, labels)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    if step == 0:
        found = gradients(model)
        assert found.isfinite().all(), "the scaled gradient is infinite"
        assert cosine(found, gradients(reference)) > 0.99, cosine(found, gradients(reference))
    scaler.step(optimizer)
    scaler.update()
    losses.append(loss.item())
assert losses[-1] < losses[0], losses
