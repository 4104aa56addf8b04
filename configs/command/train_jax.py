"""A small network on handwritten digits in plain JAX."""

import argparse
import gzip
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=5700)
args = parser.parse_args()

with gzip.open(Path(__file__).parent.parent / "data" / "digits.csv.gz", "rt") as file:
    rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
images, labels = jnp.asarray(rows[:, :64] / 16), jnp.asarray(rows[:, 64].astype(int))

keys = jax.random.split(jax.random.key(args.seed), 4)
sizes = [64, 64, 64, 10]
params = [
    (jax.random.normal(key, (a, b)) * jnp.sqrt(2 / a), jnp.zeros(b)) for key, a, b in zip(keys, sizes[:-1], sizes[1:])
]


def loss_of(params, x, y):
    for weights, bias in params[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    weights, bias = params[-1]
    return -jax.nn.log_softmax(x @ weights + bias)[jnp.arange(len(y)), y].mean()


@jax.jit
def update(params, key):
    batch = jax.random.choice(key, len(labels), (32,))
    loss, gradient = jax.value_and_grad(loss_of)(params, images[batch], labels[batch])
    return jax.tree.map(lambda p, g: p - args.lr * g, params, gradient), loss


for step in range(args.steps):
    params, loss = update(params, jax.random.fold_in(keys[-1], step))
    print(f"loss: {loss}")
