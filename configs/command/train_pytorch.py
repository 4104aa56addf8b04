"""A small network on handwritten digits, as a PyTorch tutorial writes it. The one line that lrfind needs is the print; with the
two lines about `rates` the rate may change from step to step too, and with `--stay` one process makes trial after trial."""

import argparse
import csv
import gzip
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

DIGITS = Path(__file__).parent.parent / "data" / "digits.csv.gz"


class Digits(Dataset):
    """8 by 8 pixels from 0 to 16, then the digit."""

    def __init__(self):
        with gzip.open(DIGITS, "rt") as file:
            rows = torch.tensor([[float(field) for field in row] for row in csv.reader(file)])
        self.images = rows[:, :64].reshape(-1, 1, 8, 8) / 16
        self.labels = rows[:, 64].long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


class Net(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), activation(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(16 * 4 * 4, 64), activation(), nn.Linear(64, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}
LOSSES = {
    "cross-entropy": nn.CrossEntropyLoss(),
    "squared-error": lambda outputs, labels: nn.functional.mse_loss(outputs, nn.functional.one_hot(labels, 10).float()),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=5700)
    parser.add_argument("--rates", help="a file with the rate of each step, one a line")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--loss", choices=LOSSES, default="cross-entropy")
    parser.add_argument("--stay", action="store_true", help="make the trials that standard input tells of")
    args = parser.parse_args()
    digits = Digits()
    if not args.stay:
        return train(args, digits)
    print("ready")
    for line in sys.stdin:
        seed, steps, args.rates = line.rstrip("\n").split(maxsplit=2)
        args.seed, args.steps = int(seed), int(steps)
        train(args, digits)
        print("ready")


def train(args, digits):
    torch.manual_seed(args.seed)
    loader = DataLoader(digits, batch_size=args.batch_size, shuffle=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Net(ACTIVATIONS[args.activation]).to(device)
    criterion = LOSSES[args.loss]
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    rates = [float(rate) for rate in open(args.rates)] if args.rates else None

    step = 0
    while step < args.steps:
        progress = tqdm(loader, desc=f"step {step}")
        for images, labels in progress:
            if rates:
                optimizer.param_groups[0]["lr"] = rates[step]
            loss = criterion(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            progress.set_postfix(loss=loss.item())
            print(f"loss: {loss.item()}")
            step += 1
            if step == args.steps:
                break


if __name__ == "__main__":
    main()
