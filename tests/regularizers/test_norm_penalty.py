import pytest
import torch

from dgr import DGRError, FeatureNormPenalty


def test_feature_norm_penalty_is_the_mean_squared_norm():
    z = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    penalty = FeatureNormPenalty(0.5)(z)
    torch.testing.assert_close(penalty, 0.5 * (z.norm(dim=1) ** 2).mean())
    torch.testing.assert_close(torch.autograd.grad(penalty, z)[0], z / 7)
    dense = torch.ones(2, 5, 3, 3)
    assert FeatureNormPenalty(1.0)(dense).item() == 5
    with pytest.raises(DGRError, match="not negative"):
        FeatureNormPenalty(-0.1)
