"""Heads as people write them: what is random is off or refused, and nothing of a head or of z is changed."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.functional import cross_entropy

from dgr import DGRError, DummyGradientNorm

BATCH, WIDTH, TOKENS, CLASSES = 6, 8, 4, 3


class Attention(nn.Module):
    """A block as in a vision transformer: class token, attention of the functional kind, layer scale, drop path."""

    def __init__(self, drop=0.3):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.place = nn.Parameter(torch.zeros(1, TOKENS + 1, WIDTH))
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, CLASSES)
        self.scale = nn.Parameter(1e-1 * torch.ones(WIDTH))
        self.drop = drop

    def forward(self, z):
        tokens = torch.cat([self.token.expand(len(z), -1, -1), z], dim=1) + self.place
        q, k, v = self.qkv(tokens).unflatten(2, (3, 2, WIDTH // 2)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, dropout_p=self.drop if self.training else 0.0)
        mixed = functional.dropout(self.scale * mixed.transpose(1, 2).flatten(2), self.drop, self.training)
        if self.training:  # drop path
            mixed = mixed * torch.empty(len(z), 1, 1).bernoulli_(0.5)
        return self.out((tokens + mixed)[:, 0])


class Multihead(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 2, dropout=0.5, batch_first=True)
        self.out = nn.Linear(WIDTH, CLASSES)

    def forward(self, z):
        return self.out(self.attention(z, z, z)[0].mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(WIDTH, 5, num_layers=2, dropout=0.5, batch_first=True)
        self.out = nn.Linear(5, CLASSES)

    def forward(self, z):
        return self.out(self.lstm(z)[0][:, -1])


class Own(nn.Module):
    """A ConvNeXt-like block with parameters of its own."""

    def __init__(self):
        super().__init__()
        self.gamma, self.mix = nn.Parameter(1e-6 * torch.ones(WIDTH)), nn.Parameter(torch.zeros(CLASSES, WIDTH))

    def forward(self, z):
        return functional.linear((z + self.gamma * z.square()).mean(1), self.mix)


def in_place():
    return nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(TOKENS * WIDTH, CLASSES))


def normed(norm):
    return lambda: nn.Sequential(
        nn.Flatten(), norm(nn.Linear(TOKENS * WIDTH, 5)), nn.Tanh(), norm(nn.Linear(5, CLASSES))
    )


def older_weight_norm(layer):
    return nn.utils.weight_norm(layer)


def transformer_layer():
    layer = nn.TransformerEncoderLayer(WIDTH, 2, 16, dropout=0.4, batch_first=True)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(TOKENS * WIDTH, CLASSES))


HEADS = {
    "attention": Attention,
    "multihead": Multihead,
    "transformer": transformer_layer,
    "lstm": Recurrent,
    "own parameters": Own,
    "in place": in_place,
    "weight norm": normed(nn.utils.parametrizations.weight_norm),
    "spectral norm": normed(nn.utils.parametrizations.spectral_norm),
    "older weight norm": normed(older_weight_norm),
    "older spectral norm": normed(nn.utils.spectral_norm),
    "orthogonal": lambda: nn.Sequential(nn.Flatten(), nn.utils.parametrizations.orthogonal(nn.Linear(32, CLASSES))),
    "group norm": lambda: nn.Sequential(nn.GroupNorm(2, TOKENS), nn.Flatten(), nn.PReLU(), nn.Linear(32, CLASSES)),
    "conv": lambda: nn.Sequential(nn.Conv1d(TOKENS, 2, 3), nn.Softplus(), nn.Flatten(), nn.Linear(12, CLASSES)),
}


def batch():
    torch.manual_seed(1)
    return torch.randn(BATCH, TOKENS, WIDTH, dtype=torch.float64, requires_grad=True), [torch.arange(BATCH) % CLASSES]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", HEADS)
def test_the_penalty_is_right_for_every_head(name):
    """Its gradient against central differences of its value, a directional derivative in float64."""
    torch.manual_seed(0)
    head = HEADS[name]().double()
    z, targets = batch()
    head.train()(z.clone())
    state, kept = copy.deepcopy(head.state_dict()), z.detach().clone()
    regularizer = DummyGradientNorm([head], [cross_entropy])
    before = copy.deepcopy(regularizer.state_dict())
    penalty = regularizer(z, targets)
    (gradient,) = torch.autograd.grad(penalty, z)
    assert penalty > 0
    direction = torch.randn_like(z)
    h = 1e-6
    with torch.no_grad():
        above, below = (regularizer(z + sign * h * direction, targets) for sign in (1, -1))
    torch.testing.assert_close((gradient * direction).sum(), (above - below) / (2 * h), rtol=1e-6, atol=1e-10)
    difference = DummyGradientNorm([head], [cross_entropy], estimator="finite_difference", epsilon=1e-6)
    torch.testing.assert_close(difference(z, targets), penalty, rtol=1e-4, atol=1e-12)
    # Nothing has moved: neither z, nor the head, nor a dummy, nor a state that a layer keeps for itself.
    assert torch.equal(z, kept)
    assert all(torch.equal(state[key], value) for key, value in head.state_dict().items())
    after = regularizer.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if key != "draws")
    copy.deepcopy(regularizer)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", HEADS)
def test_in_single_precision_too(name):
    """Whose kernels are others: of some, torch has no second derivatives."""
    head, (z, targets) = HEADS[name](), batch()
    regularizer = DummyGradientNorm([head], [cross_entropy])
    exact = torch.autograd.grad(regularizer(z, targets), z)[0]
    single = z.detach().float().requires_grad_()
    ours = torch.autograd.grad(regularizer(single, targets), single)[0]
    torch.testing.assert_close(ours.double(), exact, rtol=1e-2, atol=1e-4 * exact.abs().max().item())


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", HEADS)
def test_every_matrix_of_a_dummy_is_drawn_anew(name):
    torch.manual_seed(0)
    head = HEADS[name]()
    dummy, other = (DummyGradientNorm([head], [cross_entropy], seed=seed).dummies[0] for seed in (0, 1))
    for own, second, real in zip(dummy.parameters(), other.parameters(), head.parameters(), strict=True):
        if real.ndim > 1 and real.shape[:2] != (1, 1) and real.shape[0] != 1:
            assert not torch.equal(own, real)
            assert not torch.equal(own, second)
            assert own.std() > 1e-3
    dummy_scale = dummy(batch()[0].float().detach()).abs().mean()
    assert 1e-3 < dummy_scale < 30, "of a usual size, spectral norms too"


def test_what_stays_random_is_refused():
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(TOKENS * WIDTH, CLASSES)

        def forward(self, z):
            return self.layer(functional.dropout(z.flatten(1), 0.1))

    z, targets = batch()
    for estimator in ("exact", "finite_difference"):
        regularizer = DummyGradientNorm([Stubborn().double()], [cross_entropy], estimator=estimator)
        with pytest.raises(DGRError, match=r"Head 0 gives another loss each time .* switch off what is random"):
            regularizer(z, targets)


@pytest.mark.parametrize("estimator", ["exact", "finite_difference"])
@pytest.mark.parametrize("head", [nn.Identity, lambda: nn.AvgPool1d(2)])
def test_heads_without_parameters_add_nothing(head, estimator):
    z = torch.randn(BATCH, CLASSES, dtype=torch.float64, requires_grad=True)
    target, real = torch.arange(BATCH) % CLASSES, nn.Linear(CLASSES, CLASSES).double()

    def loss(prediction, target):
        return prediction.square().mean()

    alone = DummyGradientNorm([head()], [loss], estimator=estimator)
    penalty = alone(z, [target])
    penalty.backward()
    assert penalty.item() == z.grad.abs().max() == 0
    both = DummyGradientNorm([head(), real], [loss, cross_entropy], estimator=estimator, norm="plain", seed=0)
    only = DummyGradientNorm([head(), real], [loss, cross_entropy], estimator=estimator, norm="plain", seed=0)
    torch.testing.assert_close(both(z, [target, target]), only(z, [None, target]))


@pytest.mark.parametrize("estimator", ["exact", "finite_difference"])
@pytest.mark.parametrize("form", [dict, tuple, list])
def test_several_scales_and_further_inputs(form, estimator):
    """Each tensor of the representation gets its gradient; a mask is handed on."""

    class Pyramid(nn.Module):
        def __init__(self):
            super().__init__()
            self.fine, self.coarse = nn.Linear(5, CLASSES), nn.Linear(2, CLASSES)

        def forward(self, z, mask, *, scale):
            fine, coarse, _ = z.values() if isinstance(z, dict) else z
            return (self.fine(fine).tanh() + self.coarse(coarse)) * mask * scale

    z = {"fine": torch.randn(BATCH, 5), "coarse": torch.randn(BATCH, 2), "mask": torch.ones(BATCH, dtype=torch.bool)}
    z = {name: part.double().requires_grad_() if part.is_floating_point() else part for name, part in z.items()}
    whole = z if form is dict else form(z.values())
    regularizer = DummyGradientNorm([Pyramid().double()], [cross_entropy], estimator=estimator, epsilon=1e-6)
    mask, target = torch.ones(BATCH, 1, dtype=torch.float64), [torch.arange(BATCH) % CLASSES]
    penalty = regularizer(whole, target, mask, scale=0.5)
    found = torch.autograd.grad(penalty, [z["fine"], z["coarse"]])
    dummy = copy.deepcopy(regularizer.dummies[0]).requires_grad_()
    loss = cross_entropy(dummy(whole, mask, scale=0.5), target[0])
    square = sum(g.square().sum() for g in torch.autograd.grad(loss, list(dummy.parameters()), create_graph=True))
    expected = torch.autograd.grad(square, [z["fine"], z["coarse"]])
    torch.testing.assert_close(found, expected, rtol=1e-3 if estimator != "exact" else 1e-9, atol=1e-6)
    with pytest.raises(DGRError, match="holds no tensor of real numbers; give the penalty a tensor"):
        regularizer({"fine": torch.arange(3)}, target)


def test_a_loss_without_second_derivatives_says_which_estimator_to_take():
    def ctc(prediction, target):
        lengths = torch.full((BATCH,), TOKENS)
        return functional.ctc_loss(prediction.transpose(0, 1).log_softmax(2), target, lengths, torch.ones_like(lengths))

    z, _ = batch()
    labels = torch.ones(BATCH, 1, dtype=torch.int64)
    head = nn.Linear(WIDTH, CLASSES).double()
    with pytest.raises(DGRError, match=r"cannot be differentiated twice .* use estimator='finite_difference'"):
        DummyGradientNorm([head], [ctc])(z, [labels])
    assert DummyGradientNorm([head], [ctc], estimator="finite_difference")(z, [labels]) > 0


def test_running_out_of_memory_is_not_reported_as_a_shape():
    class Greedy(nn.Linear):
        def forward(self, z):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    class Large(nn.Linear):
        def forward(self, z):
            return super().forward(z) + torch.empty(2**60)

    for head in (Greedy, Large):
        with pytest.raises(RuntimeError, match="memory"):
            DummyGradientNorm([head(WIDTH, CLASSES)], [cross_entropy])(batch()[0], batch()[1])
