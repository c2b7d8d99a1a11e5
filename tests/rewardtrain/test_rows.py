from annotation.batches import batch_lines, freeze
from annotation.models import Project
from rewardtrain import rounds
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
