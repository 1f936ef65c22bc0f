from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dgr.core.errors import DGRError
from dgr.measurements.universality import Represented, Universality, measure_universality, refit
from dgr.models.shared.heads import mlp_head

CLASSES, WIDTH = 4, 6
HEAD = partial(mlp_head, WIDTH, 16, CLASSES)


def samples(count: int, seed: int, scale: float = 1.0, noise: float = 0.3) -> Represented:
    """Classes around corners of a cube."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(CLASSES, (count,), generator=generator)
    centres = torch.randn(CLASSES, WIDTH, generator=torch.Generator().manual_seed(99))
    z = centres[targets] + noise * torch.randn(count, WIDTH, generator=generator)
    return Represented(scale * z, targets)


def measure(scale: float = 1.0, draws: int = 16, seed: int = 0, noise: float = 0.3) -> Universality:
    train, val, test = (samples(count, i, scale, noise) for i, count in enumerate((200, 100, 150)))
    return measure_universality(HEAD, cross_entropy, train, val, test, draws, seed)


def test_by_hand() -> None:
    result = measure()
    torch.manual_seed(0)
    heads = [HEAD() for _ in range(17)][1:]
    test = samples(150, 2)
    with torch.no_grad():
        losses = torch.stack([cross_entropy(head(test.representation), test.targets) for head in heads])
    assert result.random_loss == pytest.approx(losses.mean().item())
    assert result.random_loss_sd == pytest.approx(losses.std().item())
    assert result.mean_norm == pytest.approx(test.representation.norm(dim=1).mean().item())
    assert result.gap == result.random_loss - result.refitted_loss
    assert result.gap_normalized == result.random_loss_normalized - result.refitted_loss


def test_refitting_finds_what_the_representation_holds() -> None:
    assert measure().refitted_loss < 0.05
    assert 0.5 < measure(noise=3.0).refitted_loss < 1.4


def test_shrinking_lowers_the_gap_but_not_the_normalized_one() -> None:
    large, plain, small = (measure(scale) for scale in (30.0, 1.0, 0.03))
    assert large.gap > plain.gap + 1
    assert plain.gap > small.gap
    assert small.random_loss == pytest.approx(torch.tensor(float(CLASSES)).log().item(), abs=0.05)
    for other in (large, small):
        assert other.gap_normalized == pytest.approx(plain.gap_normalized, abs=1e-3)
        assert other.refitted_loss == pytest.approx(plain.refitted_loss, abs=1e-3)


def test_deterministic_and_without_side_effects() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert measure() == measure()
    assert torch.equal(torch.get_rng_state(), state)
    assert measure(seed=1).random_loss != measure(seed=0).random_loss


def test_refit_never_ends_worse_on_validation_than_it_started() -> None:
    train, val = samples(20, 0, noise=3.0), samples(100, 1, noise=3.0)
    head = HEAD()
    before = cross_entropy(head(val.representation), val.targets).item()
    refit(head, cross_entropy, train, val)
    assert cross_entropy(head(val.representation), val.targets).item() <= before


def test_collapsed_representation_and_absent_classes() -> None:
    zero = Represented(torch.zeros(30, WIDTH), torch.arange(30) % CLASSES)
    result = measure_universality(HEAD, cross_entropy, zero, zero, zero, 4, 0)
    assert result.mean_norm == 0
    assert result.refitted_loss == pytest.approx(torch.tensor(float(CLASSES)).log().item(), abs=0.01)
    train = samples(100, 0)
    one = Represented(train.representation, torch.zeros_like(train.targets))
    assert measure_universality(HEAD, cross_entropy, one, one, samples(50, 1), 4, 0).refitted_loss > 1


def test_any_head() -> None:
    linear = measure_universality(
        partial(nn.Linear, WIDTH, CLASSES), cross_entropy, samples(90, 0), samples(60, 1), samples(60, 2), 4, 0
    )
    assert linear.refitted_loss < 0.2


def test_features_and_heads_in_any_layout() -> None:
    """Channels-last features give a convolution's gradient that layout, as they do on a GPU."""

    def measured(layout: torch.memory_format) -> Universality:
        torch.manual_seed(0)
        made = [torch.randn(12, 4, 3, 3, dtype=torch.float64).contiguous(memory_format=layout) for _ in range(3)]
        parts = [Represented(z, z.sum(dim=1).gt(0).long()) for z in made]

        def head() -> nn.Module:
            return nn.Conv2d(4, 2, 3, padding=1).double().to(memory_format=layout)

        return measure_universality(head, cross_entropy, *parts, draws=2, seed=0)

    assert measured(torch.channels_last).refitted_loss == pytest.approx(
        measured(torch.contiguous_format).refitted_loss, rel=1e-6
    )


def test_bad_input() -> None:
    with pytest.raises(DGRError, match="draws is 1"):
        measure(draws=1)
    bad = samples(10, 0)
    bad.representation[3, 1] = float("nan")
    with pytest.raises(DGRError, match="NaN"):
        measure_universality(HEAD, cross_entropy, samples(10, 1), bad, samples(10, 2), 4, 0)
