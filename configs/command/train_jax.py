"""A small network on handwritten digits in plain JAX. With `--stay` one process makes trial after trial, so that JAX starts and
compiles once."""

import argparse
import gzip
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

with gzip.open(Path(__file__).parent.parent / "data" / "digits.csv.gz", "rt") as file:
    rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
images, labels = jnp.asarray(rows[:, :64] / 16), jnp.asarray(rows[:, 64].astype(int))
sizes = [64, 64, 64, 10]


def loss_of(params, x, y):
    for weights, bias in params[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    weights, bias = params[-1]
    return -jax.nn.log_softmax(x @ weights + bias)[jnp.arange(len(y)), y].mean()


@jax.jit
def update(params, key, rate):
    batch = jax.random.choice(key, len(labels), (32,))
    loss, gradient = jax.value_and_grad(loss_of)(params, images[batch], labels[batch])
    return jax.tree.map(lambda p, g: p - rate * g, params, gradient), loss


def train(seed, rates):
    keys = jax.random.split(jax.random.key(seed), 4)
    layers = zip(keys, sizes[:-1], sizes[1:])
    params = [(jax.random.normal(key, (a, b)) * jnp.sqrt(2 / a), jnp.zeros(b)) for key, a, b in layers]
    for step, rate in enumerate(rates):
        params, loss = update(params, jax.random.fold_in(keys[-1], step), rate)
        print(f"loss: {loss}")


parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=5700)
parser.add_argument("--stay", action="store_true", help="make the trials that standard input tells of")
args = parser.parse_args()
if args.stay:
    print("ready")
    for line in sys.stdin:
        seed, rates = line.rstrip("\n").split(maxsplit=1)
        train(int(seed), [float(rate) for rate in open(rates)])
        print("ready")
else:
    train(args.seed, [args.lr] * args.steps)
