"""A small GPT on the characters of a text, as one trains it on a GPU: AdamW, bfloat16, dropout, gradients clipped, compiled. One
process makes trial after trial, so that PyTorch starts and compiles once."""

import argparse
import sys

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout))

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=self.dropout)
        x = x + F.dropout(self.out(attended.transpose(1, 2).reshape(batch, length, width)), self.dropout)
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, symbols, args):
        super().__init__()
        self.embed = nn.Embedding(symbols, args.width)
        self.places = nn.Embedding(args.context, args.width)
        self.blocks = nn.Sequential(*(Block(args.width, args.heads, args.dropout) for _ in range(args.depth)))
        self.norm, self.head = nn.LayerNorm(args.width), nn.Linear(args.width, symbols, bias=False)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, symbols, following):
        places = self.places(torch.arange(symbols.shape[1], device=symbols.device))
        logits = self.head(self.norm(self.blocks(self.embed(symbols) + places)))
        return F.cross_entropy(logits.flatten(0, 1), following.flatten())


def train(args, text, model, seed, rates):
    torch.manual_seed(seed)
    # The model was compiled once and stays; its weights are drawn anew.
    model.load_state_dict(GPT(model.head.out_features, args).state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=0.1)
    offsets = torch.arange(args.context, device=text.device)
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        places = torch.randint(len(text) - args.context, (args.batch_size, 1), device=text.device) + offsets
        with torch.autocast(text.device.type, torch.bfloat16):
            loss = model(text[places], text[places + 1])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print(f"loss: {loss.item()}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text")
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    characters = open(args.text, encoding="utf-8").read()
    symbols = {character: k for k, character in enumerate(sorted(set(characters)))}
    text = torch.tensor([symbols[character] for character in characters], device=device)
    model = GPT(len(symbols), args).to(device)
    model.compile()
    print("ready", flush=True)
    for line in sys.stdin:
        seed, rates = line.rstrip("\n").split(maxsplit=1)
        train(args, text, model, int(seed), [float(rate) for rate in open(rates)])
        print("ready", flush=True)


main()
