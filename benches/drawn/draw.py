"""Draws tasks at random from what a config can say: python3 benches/drawn/draw.py SEED FOLDER

Of each kind of model some, with data, sizes, optimiser, batch, schedule and length drawn. `learning-rate` is the default of the
optimiser in its framework. Paths are as from a folder beside this one.
"""

import random
import sys
from pathlib import Path

DEFAULT_RATES = {
    "sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, "adam": 0.001, "adamw": 0.001,
    "rmsprop": 0.01, "adagrad": 0.01, "lion": 0.0001,
}
OPTIMIZERS = ["sgd", "sgd", "momentum", "momentum", "nesterov", "adam", "adam", "adamw", "adamw", "rmsprop", "adagrad", "lion"]
LINEAR = '{ kind = "linear", final-fraction = 0.01 }'
SCHEDULES = [LINEAR] * 5 + ['{ kind = "cosine" }'] * 2 + [
    '{ kind = "constant" }', '{ kind = "exponential" }', '{ kind = "step" }', '{ kind = "linear", warmup-iterations = 50 }',
]
ACTIVATIONS = ["relu", "relu", "tanh", "gelu", "silu"]
DIGITS = 'kind = "csv"\npath = "../../configs/data/digits.csv.gz"\ntarget = -1\nheader = false\n'
IMAGE = "shape = [1, 8, 8]\n"
TRAINING_DIGITS = 1437

seed, folder = int(sys.argv[1]), Path(sys.argv[2])
draw = random.Random(seed)


def chance(probability):
    return draw.random() < probability


def optimizer():
    kind = draw.choice(OPTIMIZERS)
    text = f'kind = "{kind}"'
    if kind == "momentum" and chance(0.4):
        text = f'kind = "sgd", momentum = {draw.choice([0.5, 0.95, 0.98])}'
    if kind in ("adam", "adamw") and chance(0.3):
        text += f", beta2 = {draw.choice([0.95, 0.99])}"
    if chance(0.25):
        text += f", weight-decay = {draw.choice([1e-4, 1e-3, 1e-2])}"
    return kind, text


def activation():
    return draw.choice(ACTIVATIONS)


def digits():
    """The data, and how many examples are trained on."""
    data, examples = DIGITS, TRAINING_DIGITS
    if chance(0.3):
        share = draw.choice([0.1, 0.3])
        data, examples = data + f"share = {share}\n", int(examples * share)
    if chance(0.3):
        data += f"label-noise = {draw.choice([0.05, 0.1, 0.2])}\n"
    if chance(0.1):
        data += "standardize = false\n"
    return data, examples


def write(name, data, model, examples, batches, lengths, more=""):
    kind, rule = optimizer()
    batch = draw.choice(batches)
    size = examples if batch == "full" else min(batch, examples)
    epochs = max(2, round(draw.choice(lengths) / max(1, -(-examples // size))))
    if chance(0.15):
        more += f"clip-norm = {draw.choice([0.3, 1.0, 3.0])}\n"
    batch = '"full"' if batch == "full" else batch
    (folder / f"{seed}-{name}.toml").write_text(
        f'name = "{seed}-{name}"\n\n[data]\n{data}\n[model]\n{model}\n[training]\noptimizer = {{ {rule} }}\nbatch-size = {batch}\n'
        f"epochs = {epochs}\nlearning-rate = {DEFAULT_RATES[kind]}\nschedule = {draw.choice(SCHEDULES)}\n{more}"
    )


folder.mkdir(parents=True, exist_ok=True)
for i in range(10):
    data, examples = digits()
    width, depth = draw.choice([16, 32, 64, 128]), draw.choice([1, 2, 2, 3, 5])
    model = f'kind = "mlp"\nhidden = {[width] * depth}\nactivation = "{activation()}"\n'
    if chance(0.3):
        model += f"init-scale = {draw.choice([0.3, 0.5, 2, 3])}\n"
    smoothing = "label-smoothing = 0.1\n" if chance(0.15) else ""
    write(f"mlp-{i}", data, model, examples, [4, 16, 32, 64, 128, "full"], [1000, 2500, 2500, 4000], smoothing)
for i in range(5):
    data, examples = digits()
    width, depth, norm = draw.choice([32, 64]), draw.choice([1, 2, 4]), draw.choice(["batch-norm", "layer-norm"])
    layers = ", ".join([f'{{ kind = "linear", units = {width} }}, "{norm}", "{activation()}"'] * depth)
    write(f"norm-{i}", data, f'kind = "layers"\nlayers = [{layers}]\n', examples, [16, 32, 64, 128], [1000, 2500, 4000])
for i in range(4):
    data, examples = digits()
    model = f'kind = "cnn"\nchannels = [4, 8]\nhidden = [16]\nactivation = "{activation()}"\n'
    model += f'batch-norm = {draw.choice(["true", "false"])}\n'
    write(f"cnn-{i}", data + IMAGE, model, examples, [16, 32, 64], [1000, 2500])
for i in range(3):
    data, examples = digits()
    model = f'kind = "rnn"\ncell = "{draw.choice(["lstm", "gru"])}"\nwidth = {draw.choice([12, 24])}\n'
    write(f"rnn-{i}", data + IMAGE, model, examples, [16, 32, 64], [1500, 2500])
for i in range(3):
    data, examples = digits()
    model = f'kind = "transformer"\nwidth = 16\ndepth = {draw.choice([1, 2])}\nheads = 2\n'
    write(f"trans-{i}", data + IMAGE, model, examples, [16, 32], [1500, 2500])
for i in range(2):
    model = f'kind = "autoencoder"\nhidden = [32, {draw.choice([4, 8, 16])}]\nactivation = "{activation()}"\n'
    write(f"auto-{i}", DIGITS, model, TRAINING_DIGITS, [16, 32, 64], [1500, 2500])
for i in range(5):
    samples = draw.choice([512, 2048, 4096])
    data = f'kind = "synthetic"\nproblem = "teacher-student"\nsamples = {samples}\nfeatures = {draw.choice([8, 16, 32])}\n'
    data += f"hidden = {draw.choice([0, 16, 32])}\nnoise = {draw.choice([0.05, 0.1, 0.3])}\ndata-seed = {draw.randrange(100)}\n"
    width, depth = draw.choice([32, 64]), draw.choice([1, 2, 3])
    model = f'kind = "mlp"\nhidden = {[width] * depth}\nactivation = "{activation()}"\n'
    write(f"teacher-{i}", data, model, int(samples * 0.8), [8, 32, 64, 256], [1000, 2500, 4000])
for i in range(3):
    samples = draw.choice([512, 1024])
    data = f'kind = "synthetic"\nproblem = "spirals"\nsamples = {samples}\nclasses = {draw.choice([2, 3, 4])}\n'
    data += f"noise = {draw.choice([0.05, 0.1, 0.3])}\ndata-seed = {draw.randrange(100)}\n"
    width, depth = draw.choice([32, 64]), draw.choice([1, 2])
    model = f'kind = "mlp"\nhidden = {[width] * depth}\nactivation = "{activation()}"\n'
    write(f"spirals-{i}", data, model, int(samples * 0.8), [16, 32, 64], [2500, 5000])
