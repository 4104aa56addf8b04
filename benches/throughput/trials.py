"""PyTorch's side of `cargo bench --bench throughput`: makes the trials that it is told of on standard input, one JSON object a
line, and answers each with one. A trial is what it is to lrfind: fresh weights from a seed, the loss on 256 examples, the steps
with the loss of each, and the loss on the 256 examples once more."""

import json
import sys

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

torch.set_num_threads(1)
EXAMPLES, PROBE, VOCABULARY = 1280, 256, 65


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        norm = lambda: nn.BatchNorm2d(outputs, track_running_stats=False)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), norm(), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), norm())
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm())

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class Decoder(nn.Module):
    """One pre-norm block."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.affine = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.into(self.norms[0](x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.affine(self.norms[1](x))


class Transformer(nn.Module):
    def __init__(self, width=64, context=64):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, width)
        self.places = nn.Parameter(0.02 * torch.randn(context, width))
        self.blocks = nn.Sequential(Decoder(width, 4), Decoder(width, 4))
        self.end = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, VOCABULARY))

    def forward(self, x):
        return self.end(self.blocks(self.tokens(x) + self.places)).flatten(0, 1)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells, self.end = nn.LSTM(28, 64, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.end(self.cells(x)[0][:, -1])


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, fused=True)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(784, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16, track_running_stats=False), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# Name: model, shape of an example, batch size, optimiser.
CASES = {
    "logistic": (lambda: nn.Linear(64, 10), (64,), 32, momentum),
    "digits-mlp": (lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), (64,), 32, momentum),
    "mnist-mlp": (
        lambda: nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)),
        (784,), 64, momentum),
    "lenet": (lenet, (1, 28, 28), 64, momentum),
    "resnet-8": (resnet, (3, 32, 32), 32, momentum),
    "transformer": (Transformer, None, 16, lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True)),
    "lstm": (Lstm, (28, 28), 32, lambda p: torch.optim.Adam(p, lr=1e-3, fused=True)),
}
DATA = {}


def data(name):
    """Inputs and targets, made once."""
    if name not in DATA:
        shape = CASES[name][1]
        if shape is None:
            text = torch.randint(VOCABULARY, (EXAMPLES, 65))
            DATA[name] = text[:, :-1].contiguous(), text[:, 1:].contiguous()
        else:
            DATA[name] = torch.randn(EXAMPLES, *shape), torch.arange(EXAMPLES) % 10
    return DATA[name]


def batches(count, size, generator):
    """Rows of one batch after the other, in an order of their own in each epoch."""
    while True:
        order = torch.randperm(count, generator=generator)
        for start in range(0, count - size + 1, size):
            yield order[start:start + size]


def eager(name, trials, iterations):
    make, _, size, optimizer = CASES[name]
    x, y = data(name)
    for seed in range(trials):
        torch.manual_seed(seed)
        model, losses = make(), []
        steps = optimizer(model.parameters())
        feed = batches(len(x), size, torch.Generator().manual_seed(seed))

        def probe():
            with torch.no_grad():
                return F.cross_entropy(model(x[:PROBE]), y[:PROBE].flatten()).item()

        probe()
        for _, rows in zip(range(iterations), feed):
            loss = F.cross_entropy(model(x[rows]), y[rows].flatten())
            loss.backward()
            steps.step()
            steps.zero_grad(set_to_none=True)
            losses.append(loss.item())
        probe()


def stacked(name, trials, iterations):
    make, _, size, optimizer = CASES[name]
    x, y = data(name)
    models = []
    for seed in range(trials):
        torch.manual_seed(seed)
        models.append(make())
    weights, buffers = stack_module_state(models)
    weights = {key: value.detach() for key, value in weights.items()}
    steps, losses = optimizer(weights.values()), []
    feeds = [batches(len(x), size, torch.Generator().manual_seed(seed)) for seed in range(trials)]

    def loss_of(weights, inputs, targets):
        return F.cross_entropy(functional_call(models[0], (weights, buffers), (inputs,)), targets.flatten())

    shared = vmap(loss_of, in_dims=(0, None, None))
    differentiate = vmap(grad_and_value(loss_of))
    probe = lambda: shared(weights, x[:PROBE], y[:PROBE]).tolist()
    probe()
    for _ in range(iterations):
        rows = torch.stack([next(feed) for feed in feeds])
        slopes, values = differentiate(weights, x[rows], y[rows])
        for key, value in weights.items():
            value.grad = slopes[key]
        steps.step()
        losses.append(values.tolist())
    probe()


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    answer = {}
    try:
        make = eager if order["form"] == "eager" else stacked
        make(order["case"], order["trials"], order["iterations"])
    except Exception as error:  # what a form cannot do is part of the answer
        answer["error"] = (str(error).strip() or repr(error)).splitlines()[0]
    print(json.dumps(answer), flush=True)
