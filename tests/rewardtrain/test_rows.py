from annotation.batches import batch_lines, freeze, gold_lines
from annotation.models import Project
from rewardtrain import contract, rounds
from rewardtrain.demo.projects import POLICY
from rewardtrain.models import Generation
from rewardtrain.rows import comparison_rows
from tests.annotation import desk
from tests.turning import add_run, add_version


def test_a_row_says_who_wrote_each_response_and_that_no_flag_is_a_no(db: None) -> None:
    project = desk.open_project(1, grace_seconds=0, flags=["untrue"])
    reference = rounds.set_reference(project=project, source=POLICY, actor=None)
    candidate = add_version(project, "policy", "candidate")
    held = desk.leased(desk.person(project))
    first, second = (place.response for place in held.comparison.places.all())
    run = add_run(project)
    Generation.objects.create(response=second, version=candidate, run=run, index=0)
    Generation.objects.create(response=second, version=reference, run=run, index=1)
    desk.submit(held)
    (line,) = batch_lines(freeze(project))
    (row,) = comparison_rows(project, [line])
    # The first to write a text is named; nobody of ours wrote the other one.
    assert row["sources"] == ["", f"policy {reference.number}"]
    assert row["flags"] == [[], []]
    assert row.items() >= line.items()
    assert first.messages == row["responses"][0]
    (imported,) = comparison_rows(project, [{**line, "labeler": "import"}])
    assert "flags" not in imported
    Project.objects.filter(pk=project.pk).update(flags=[])
    project.refresh_from_db()
    assert "flags" not in next(comparison_rows(project, [line]))


def test_a_gold_is_a_row_of_its_answer_which_says_nothing_of_flags(db: None) -> None:
    project = desk.open_project(0, flags=["untrue"])
    (gold,) = desk.ask(project, kind="gold")
    first, second = (place.response for place in gold.places.all())
    gold.expected = {"outcome": "prefer", "tiers": [[second.pk], [first.pk]]}
    gold.save()
    (row,) = comparison_rows(project, gold_lines(project))
    found = contract.decode(contract.ComparisonRow, row, "row")
    assert (found.kind, found.outcome, found.tiers) == ("gold", "prefer", [[1], [0]])
    assert found.flags is None
