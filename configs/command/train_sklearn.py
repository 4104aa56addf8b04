"""A network on the handwritten digits that come with scikit-learn, trained by one mini-batch at a time."""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=4500)
args = parser.parse_args()

X, y = load_digits(return_X_y=True)
X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-8)
order = np.random.default_rng(args.seed)
model = MLPClassifier(hidden_layer_sizes=(64, 64), solver="sgd", learning_rate_init=args.lr, random_state=args.seed)
for step in range(args.steps):
    batch = order.integers(len(X), size=32)
    model.partial_fit(X[batch], y[batch], classes=np.arange(10))
    print(f"loss: {model.loss_:.6f}")
