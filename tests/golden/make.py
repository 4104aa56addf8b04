"""Asks the real packages what they suggest for recorded ramps. Not run by the tests, which read the JSON files beside this one.

    python make.py curves RANGE_TEST_JSON...   writes curves.json: made-up curves, and those that `lrfind sweep` wrote
    python make.py answers                     adds the answers of the packages that are installed to answers.json

The answers come from two environments: one with torch, fastai, torch-lr-finder, lightning and pytorch-ignite, and a second with
torch and lightning 2.5.2, the last version with the rule by step. Each package runs its own whole loop, smoothing and early stop
on a model whose loss at step k is the k-th of the curve, and then applies its own rule. Only the rates are put in from outside:
the packages space them in slightly different ways.
"""

import json
import math
import pathlib
import random
import re
import sys
import tempfile
import warnings

HERE = pathlib.Path(__file__).parent
CURVES, ANSWERS = HERE / "curves.json", HERE / "answers.json"


# Non-finite numbers travel as strings.
def packed(value):
    value = float(value)
    return value if math.isfinite(value) else str(value)


def write(path, value):
    # Rows of numbers on one line.
    text = json.dumps(value, indent=1, allow_nan=False)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda row: re.sub(r"\s+", " ", row.group()), text)
    path.write_text(text + "\n")


def made_up():
    def rates(start, end, n):
        return [start * (end / start) ** (k / (n - 1)) for k in range(n)]

    grid = rates(1e-7, 10.0, 100)

    def sigmoid(noise=0.0, seed=0, scale=1.0, shift=0.0, blow_up=True):
        """Falls from 2.3 to 0.4 around 1e-3 and, if asked, rises steeply from 1 on."""
        rng = random.Random(seed)
        losses = []
        for rate in grid:
            x = math.log10(rate)
            loss = 2.3 - 1.9 / (1.0 + math.exp(-4.0 * (x + 3.0)))
            if blow_up and x > 0.0:
                loss += 60.0 * x * x
            losses.append(scale * (loss + noise * rng.gauss(0.0, 1.0)) + shift)
        return losses

    clean = sigmoid()
    early_spike = sigmoid(0.02, 5)
    early_spike[2] = 40.0
    nan_tail = sigmoid(0.02, 3)
    nan_tail[80:] = [math.nan] * 20
    inf_end = sigmoid(0.02, 4)
    inf_end[92:] = [math.inf] + [math.nan] * 7
    curves = {
        "clean_sigmoid": clean,
        "noisy_sigmoid": sigmoid(0.15, 1),
        "very_noisy_sigmoid": sigmoid(0.4, 2),
        "scaled_up": sigmoid(0.02, 6, scale=100.0),
        "scaled_down": sigmoid(0.02, 6, scale=0.01),
        "nan_tail": nan_tail,
        "nan_from_the_start": [math.nan] * 100,
        "inf_at_the_end": inf_end,
        "negative": sigmoid(0.02, 7, shift=-5.0),
        "turning_negative": sigmoid(0.02, 8, shift=-1.5),
        "early_spike": early_spike,
        "never_diverging": sigmoid(0.02, 9, blow_up=False),
        "constant": [1.0] * 100,
        "rising": [1.0 + 0.01 * k for k in range(100)],
    }
    result = {name: {"rates": grid, "losses": losses} for name, losses in curves.items()}
    for n in (8, 16, 20):
        result[f"short_{n}"] = {"rates": rates(1e-4, 1.0, n), "losses": [2.3 - 0.1 * k for k in range(n)]}
    return result


def recorded(path):
    report = json.loads(pathlib.Path(path).read_text())
    for ramp in report["ramps"]:
        losses = [math.nan if loss is None else loss for loss in ramp["losses"]]
        if ramp["outcome"].get("reason", "").endswith(" inf"):
            losses[ramp["outcome"]["step"]] = math.inf
        yield f"{report['name']}_{ramp['seed']}", {"rates": report["ramp"]["learning_rates"], "losses": losses}


def make_curves(paths):
    curves = made_up()
    for path in paths:
        curves.update(recorded(path))
    rounded = {
        name: {
            "rates": [float(f"{rate:.9g}") for rate in curve["rates"]],
            "losses": [packed(float(f"{loss:.7g}")) for loss in curve["losses"]],
        }
        for name, curve in curves.items()
    }
    write(CURVES, rounded)


class Case:
    """A curve, and what the packages need to be driven along it."""

    def __init__(self, rates, losses, dtype):
        import torch

        self.rates, self.n = rates, len(rates)
        self.model = torch.nn.Linear(1, 1)
        self.dataset = torch.utils.data.TensorDataset(torch.zeros(self.n, 1), torch.tensor(losses, dtype=dtype))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rates[0])

    def loader(self):
        import torch

        return torch.utils.data.DataLoader(self.dataset, batch_size=1, shuffle=False)

    @staticmethod
    def loss(prediction, target):
        return prediction.sum() * 0.0 + target.mean()


def fastai(case):
    from fastai.basics import DataLoaders, Learner
    from fastai.callback import schedule
    from fastai.optimizer import SGD

    schedule.SchedExp = lambda start, end: lambda position: case.rates[round(position * case.n)]
    rules = {f"fastai_{name}": getattr(schedule, name) for name in ("valley", "slide", "minimum", "steep")}
    answers, smoothed = {}, []
    for name, rule in rules.items():
        with tempfile.TemporaryDirectory() as folder:
            loaders = DataLoaders.from_dsets(case.dataset, case.dataset, bs=1, shuffle=False, num_workers=0, device="cpu")
            loaders[0].shuffle = False
            learner = Learner(loaders, case.model, loss_func=case.loss, opt_func=SGD, path=folder)
            answers[name] = answer(lambda: learner.lr_find(num_it=case.n, show_plot=False, suggest_funcs=rule)[0])
            smoothed = [float(loss) for loss in learner.recorder.losses]
    return answers, {"fastai": smoothed}


def torch_lr_finder(case):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from torch_lr_finder import LRFinder

    finder = LRFinder(case.model, case.optimizer, case.loss, device="cpu")
    finder.range_test(case.loader(), start_lr=case.rates[0], end_lr=case.rates[-1], num_iter=case.n)
    finder.history["lr"] = case.rates[: len(finder.history["loss"])]
    answers = {"pytorch_lr_finder": answer(lambda: finder.plot(suggest_lr=True, ax=plt.subplots()[1])[1])}
    plt.close("all")
    return answers, {"pytorch_lr_finder": finder.history["loss"]}


def lightning(case):
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import Tuner

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.inner, self.lr = case.model, case.rates[0]

        def training_step(self, batch, _):
            return case.loss(self.inner(batch[0]), batch[1])

        def configure_optimizers(self):
            return case.optimizer

    with tempfile.TemporaryDirectory() as folder:
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        trainer = pl.Trainer(accelerator="cpu", default_root_dir=folder, **quiet)
        finder = Tuner(trainer).lr_find(Module(), case.loader(), min_lr=case.rates[0], max_lr=case.rates[-1], num_training=case.n)
    finder.results["lr"] = case.rates[: len(finder.results["loss"])]
    old = tuple(int(part) for part in pl.__version__.split(".")[:3]) < (2, 5, 3)
    name = "lightning_by_step" if old else "lightning_by_rate"
    return {name: answer(finder.suggestion)}, {name: finder.results["loss"]}


def ignite(case):
    from ignite.engine import Engine
    from ignite.handlers import FastaiLRFinder

    def step(_, batch):
        case.optimizer.zero_grad()
        loss = case.loss(case.model(batch[0]), batch[1])
        loss.backward()
        case.optimizer.step()
        return loss.item()

    finder = FastaiLRFinder()
    saved = {"model": case.model, "optimizer": case.optimizer}
    with finder.attach(Engine(step), saved, num_iter=case.n, start_lr=case.rates[0], end_lr=case.rates[-1]) as trainer:
        trainer.run(case.loader())
    history = finder.get_results()
    history["lr"] = case.rates[: len(history["loss"])]
    return {"ignite": answer(finder.lr_suggestion)}, {"ignite": history["loss"]}


def answer(suggest):
    try:
        rate = suggest()
    except Exception as error:
        return {"rate": None, "error": f"{type(error).__name__}: {error}"[:120]}
    return {"rate": None if rate is None else float(rate)}


def make_answers():
    import importlib.metadata
    import logging

    import torch

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    drivers = {
        "fastai": (fastai, torch.float32),
        "torch-lr-finder": (torch_lr_finder, torch.float64),
        "lightning": (lightning, torch.float64),
        "pytorch-ignite": (ignite, torch.float64),
    }
    result = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {"versions": {}, "answers": {}}
    for package, (drive, dtype) in drivers.items():
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        for name, curve in json.loads(CURVES.read_text()).items():
            case = Case(curve["rates"], [float(loss) for loss in curve["losses"]], dtype)
            answers, smoothed = drive(case)
            entry = result["answers"].setdefault(name, {"suggestions": {}, "smoothed": {}})
            entry["suggestions"].update(answers)
            entry["smoothed"].update({tool: [packed(f"{loss:.8g}") for loss in row] for tool, row in smoothed.items()})
            for rule in answers:
                result["versions"][rule] = f"{package} {version}, torch {torch.__version__}"
    write(ANSWERS, result)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["curves", *paths]:
            make_curves(paths)
        case ["answers"]:
            make_answers()
        case _:
            sys.exit(__doc__)
