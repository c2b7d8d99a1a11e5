"""What leaves for other trainers, read back by those trainers."""

import json
from pathlib import Path

import pytest

from annotation.exports import as_jsonl, left_out, trl_preferences
from annotation.imports import import_comparisons
from annotation.models import Project

pytestmark = pytest.mark.django_db
POLICY = Path(__file__).resolve().parents[2] / "rewardtrain" / "demo" / "policy"


@pytest.fixture
def answered() -> Project:
    project = Project.objects.create(slug="answered", name="Answered", grace_seconds=0)
    rows = [
        {"prompt": "Name a bird.", "chosen": "A heron.", "rejected": "A spoon."},
        {
            "prompt": "Name a fish.",
            "responses": ["A trout.", "A cloud."],
            "tiers": [[0], [1]],
            "strength": 1,
            "levels": 4,
        },
        {"prompt": "Rank.", "responses": ["one", "two", "three"], "tiers": [[2], [0], [1]]},
        {"prompt": "Equal.", "responses": ["x", "y"], "outcome": "tie"},
    ]
    report = import_comparisons(project, [json.dumps(row) for row in rows])
    assert report.errors == []
    return project


def test_every_decided_pair_is_a_row(answered: Project) -> None:
    rows = list(trl_preferences(answered))
    said = {(r["chosen"][0]["content"], r["rejected"][0]["content"]) for r in rows}
    assert said == {
        ("A heron.", "A spoon."),
        ("A trout.", "A cloud."),
        ("three", "one"),
        ("three", "two"),
        ("one", "two"),
    }
    margins = {r["chosen"][0]["content"]: r["margin"] for r in rows}
    assert margins["A trout."] == 0.25
    assert margins["A heron."] == 1.0


def test_a_tie_has_no_row_and_is_counted(answered: Project) -> None:
    assert left_out(answered) == 1


def test_datasets_and_trl_read_it(answered: Project, tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from trl import RewardConfig, RewardTrainer

    file = tmp_path / "preferences.jsonl"
    file.write_text("".join(as_jsonl(trl_preferences(answered))), encoding="utf-8")
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path))
    assert set(rows.column_names) == {"prompt", "chosen", "rejected", "margin"}
    trainer = RewardTrainer(
        model=AutoModelForSequenceClassification.from_pretrained(POLICY, num_labels=1),
        args=RewardConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=2,
            per_device_train_batch_size=2,
            report_to=[],
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
        ),
        processing_class=AutoTokenizer.from_pretrained(POLICY),
        train_dataset=rows,
    )
    trainer.train()
    assert trainer.state.global_step == 2
