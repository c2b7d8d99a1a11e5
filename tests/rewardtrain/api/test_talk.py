import pytest

from annotation import queue
from annotation.asking import add_prompt
from annotation.models import Assignment, Comparison, Preference, Project, Prompt
from rewardtrain import reply, rounds, rows, talk
from rewardtrain.models import Generation, ModelVersion, Talk, Turn
from rewardtrain.promotion import promote
from tests.cast import Person
from tests.rewardtrain.talking import (
    again,
    look,
    prefer,
    say,
    stay_loaded,
    take_up,
    talking,
    write,
)

__all__ = ["stay_loaded", "talking"]

pytestmark = pytest.mark.usefixtures("stay_loaded")
HELLO = "Tell a tale about Pip the owl and a lost key."
ON = "What happened to the key after that?"


def began(person: Person) -> dict:
    """A talk whose first two replies wait for an answer."""
    mine = take_up(person)
    assert say(person, mine, HELLO, 1).status_code == 200
    assert write(mine).state == "ready"
    return mine


def test_a_talk_goes_on_from_the_reply_that_was_preferred(talking: Project, lena: Person) -> None:
    mine = began(lena)
    seen = look(lena, mine)
    first, other = (r["messages"][0]["content"] for r in seen["turn"]["assignment"]["responses"])
    assert first != other
    assert prefer(lena, mine, position=1).json()["counted"]
    assert look(lena, mine)["turn"]["reply"] == other
    assert say(lena, mine, ON, 2).json()["messages"] == [
        {"role": "user", "content": HELLO},
        {"role": "assistant", "content": other},
        {"role": "user", "content": ON},
    ]
    write(mine)
    assert prefer(lena, mine).json()["counted"]


def test_every_turn_is_a_comparison_of_one_thread_on_one_side(
    talking: Project, lena: Person
) -> None:
    mine = began(lena)
    prefer(lena, mine)
    say(lena, mine, ON, 2)
    write(mine)
    prefer(lena, mine)
    first, second = Turn.objects.filter(talk__key=mine["key"])
    assert second.prompt.parent == first.prompt
    assert first.prompt.thread_root == second.prompt.thread_root
    assert first.prompt.split == second.prompt.split
    assert Preference.objects.filter(comparison__in=[first.comparison, second.comparison]).count()
    assert {first.comparison.kind, second.comparison.kind} == {"ask"}


def test_what_is_said_is_asked_of_nobody_else_unless_it_is_given_as_a_prompt(
    talking: Project, lena: Person
) -> None:
    rules = rounds.rules_of(talking)
    used = lambda: {  # noqa: E731
        prompt.messages[-1]["content"]
        for prompts in (
            rows.prompts_to_ask(rules, 0),
            rows.prompts_to_meet(rules, 0),
            rows.prompts_to_learn(talking),
        )
        for prompt in prompts
    }
    before = used()
    say(lena, take_up(lena), HELLO, 1)
    assert Prompt.objects.filter(project=talking, messages__0__content=HELLO).exists()
    assert used() == before
    add_prompt(talking, [{"role": "user", "content": HELLO}], source="tales.jsonl")
    assert used() == before | {HELLO}


def test_the_replies_stand_in_the_order_in_which_they_were_written(
    talking: Project, lena: Person
) -> None:
    for number in range(1, 7):
        mine = take_up(lena, new=True)
        say(lena, mine, f"{HELLO} Number {number}.", 1)
        turn = write(mine)
        pair = look(lena, mine)["turn"]["assignment"]
        assert [r["messages"][0]["content"] for r in pair["responses"]] == turn.texts
        wrote = Generation.objects.filter(turn=turn).order_by("index")
        assert [g.response.messages[0]["content"] for g in wrote] == turn.texts
        receipt = prefer(lena, mine).json()
        answer = Preference.objects.get(assignment__key=receipt["key"])
        assert answer.order == [g.response_id for g in wrote]


def test_a_policy_promoted_in_the_middle_goes_on_and_lineage_says_who_wrote_what(
    talking: Project, lena: Person, maya: Person
) -> None:
    mine = began(lena)
    prefer(lena, mine)
    reference = rounds.reference_of(talking)
    better = ModelVersion.objects.create(
        project=talking, kind="policy", number=1, source=reference.source
    )
    promote(version=better, actor=maya.user, reason="It is better.")
    say(lena, mine, ON, 2)
    write(mine)
    first, second = Turn.objects.filter(talk__key=mine["key"])
    assert [first.policy, second.policy] == [reference, better]
    for turn, version in ((first, reference), (second, better)):
        assert {g.version for g in turn.generations.all()} == {version}
        assert turn.generations.count() == 2


def test_a_tie_goes_on_from_what_was_shown_first(talking: Project, lena: Person) -> None:
    mine = began(lena)
    prefer(lena, mine, outcome="tie", tiers=[[0, 1]], strength=None)
    turn = look(lena, mine)["turn"]
    assert turn["reply"] == turn["assignment"]["responses"][0]["messages"][0]["content"]


def test_where_both_are_bad_others_are_written_to_the_same_words(
    talking: Project, lena: Person
) -> None:
    mine = began(lena)
    assert again(lena, mine, 1, 1).status_code == 409
    prefer(lena, mine, outcome="both_bad", tiers=[[0, 1]], strength=None)
    assert say(lena, mine, ON, 2).json()["error"]["code"] == "nothing_chosen"
    assert again(lena, mine, 1, 1).json()["turn"]["number"] == 2
    assert again(lena, mine, 1, 1).json()["turn"]["number"] == 2
    write(mine)
    first, second = Turn.objects.filter(talk__key=mine["key"])
    assert (first.prompt, first.comparison) != (second.prompt, second.comparison)
    assert first.prompt == second.prompt
    prefer(lena, mine)
    assert look(lena, mine)["turn"]["reply"] is not None


def test_saying_the_same_once_more_changes_nothing(talking: Project, lena: Person) -> None:
    mine = take_up(lena)
    assert say(lena, mine, HELLO, 1).status_code == 200
    assert say(lena, mine, HELLO, 1).status_code == 200
    assert say(lena, mine, ON, 1).json()["error"]["code"] == "other_turn"
    assert say(lena, mine, ON, 3).json()["error"]["code"] == "other_turn"
    assert Turn.objects.count() == 1


def test_nothing_is_said_before_the_replies_are_answered(talking: Project, lena: Person) -> None:
    mine = began(lena)
    assert say(lena, mine, ON, 2).json()["error"]["code"] == "nothing_chosen"
    assert Turn.objects.count() == 1


def test_a_retracted_answer_stops_the_talk_until_it_is_given_again(
    talking: Project, lena: Person
) -> None:
    mine = began(lena)
    key = prefer(lena, mine).json()["key"]
    undo = {"idempotency_key": "6a64ea2e-7d1f-4c92-94ef-0a37c5f3a8f4"}
    assert lena.api.post(f"/api/assignments/{key}/retract/", undo).status_code == 201
    assert say(lena, mine, ON, 2).json()["error"]["code"] == "nothing_chosen"
    prefer(lena, mine, position=1)
    assert say(lena, mine, ON, 2).status_code == 200


def test_what_is_typed_is_kept_until_it_is_said(talking: Project, lena: Person) -> None:
    mine = take_up(lena)
    path = f"/api/talks/{mine['key']}/draft/"
    assert lena.api.put(path, {"draft": " Tell a"}).status_code == 204
    assert take_up(lena)["draft"] == " Tell a"
    assert say(lena, mine, HELLO, 1).json()["draft"] == ""


def test_a_talk_is_taken_up_where_it_stopped_and_a_new_one_begins_when_asked_for(
    talking: Project, lena: Person
) -> None:
    mine = began(lena)
    pair = look(lena, mine)["turn"]["assignment"]
    lena.api.post(f"/api/assignments/{pair['key']}/release/", {"token": pair["token"]})
    assert look(lena, mine)["turn"]["assignment"] is None
    back = take_up(lena)
    assert back["key"] == mine["key"]
    assert back["turn"]["assignment"]["key"] == pair["key"]
    assert back["turn"]["assignment"]["responses"] == pair["responses"]
    new = take_up(lena, new=True)
    assert (new["key"] != mine["key"], new["turn"]) == (True, None)
    assert take_up(lena, new=True)["key"] == new["key"]


def test_an_expired_pair_is_leased_anew_and_its_late_answer_counts(
    talking: Project, lena: Person
) -> None:
    mine = began(lena)
    Assignment.objects.update(expires_at="2026-01-01T00:00Z")
    assert queue.expire() == 1
    assert take_up(lena)["turn"]["assignment"]
    assert prefer(lena, mine).json()["counted"]


def test_a_pair_of_a_talk_is_nobody_elses_and_moves_nobodys_place(
    talking: Project, lena: Person, luis: Person
) -> None:
    additions = Project.objects.get(pk=talking.pk).additions
    mine = began(lena)
    assert Project.objects.get(pk=talking.pk).additions == additions
    pair = Assignment.objects.get(labeler=lena.user)
    queue.release(pair, pair.token)
    comparison = Turn.objects.get(talk__key=mine["key"]).comparison
    assert comparison.pk not in all_asked(luis)
    assert Comparison.objects.get(pk=comparison.pk).leased == 0
    assert comparison.pk in all_asked(lena)


def all_asked(person: Person) -> set[int]:
    """What the queue has for somebody who skips everything."""
    asked = set()
    while served := queue.lease(person.user.memberships.get(), 3):
        asked |= {assignment.comparison_id for assignment in served}
        for assignment in served:
            queue.skip(assignment, assignment.token, reason="other", note="")
    return asked


def test_a_failed_writer_is_said_without_naming_the_model_and_tries_again(
    talking: Project, lena: Person
) -> None:
    source = rounds.reference_of(talking).source
    ModelVersion.objects.update(source="rewardtrain/demo/assistant_answers")
    mine = take_up(lena)
    say(lena, mine, HELLO, 1)
    assert "could not be loaded" in write(mine).error
    shown = lena.api.get(f"/api/talks/{mine['key']}/")
    assert shown.json()["turn"]["state"] == "failed"
    assert b"assistant_answers" not in shown.content
    ModelVersion.objects.update(source=source)
    assert again(lena, mine, 1, 1).json()["turn"]["state"] == "waiting"
    assert again(lena, mine, 1, 1).json()["turn"]["attempt"] == 2
    assert write(mine).state == "ready"


def test_a_late_writer_gives_way_to_the_next_and_can_change_nothing(
    talking: Project, lena: Person
) -> None:
    mine = take_up(lena)
    say(lena, mine, HELLO, 1)
    assert again(lena, mine, 1, 1).json()["error"]["code"] == "not_over"
    Turn.objects.update(heard_at="2026-01-01T00:00Z")
    assert look(lena, mine)["turn"]["late"]
    assert again(lena, mine, 1, 1).json()["turn"]["attempt"] == 2
    late = Turn.objects.get()
    reply.write(late.pk, 1)
    assert Turn.objects.get().state == "waiting"
    assert not Generation.objects.exists()
    write(mine)
    reply.write(late.pk, 2)
    assert Generation.objects.count() == 2
    assert look(lena, mine)["turn"]["assignment"]


def test_what_was_never_heard_is_sent_again(talking: Project, lena: Person, worker_env) -> None:
    import redis
    from django.conf import settings

    mine = take_up(lena)
    say(lena, mine, HELLO, 1)
    queued = redis.Redis.from_url(settings.REDIS_URL)
    queued.delete("live")
    talk.send_unheard()
    assert queued.llen("live") == 0
    Turn.objects.update(heard_at="2026-01-01T00:00Z")
    talk.send_unheard()
    assert queued.llen("live") == 1


def test_equal_replies_ask_nobody_and_the_talk_goes_on(talking: Project, lena: Person) -> None:
    rules = rounds.rules_of(talking)
    rules.generate_options = {"top_p": 0.01, "max_new_tokens": 2}
    rules.save()
    mine = take_up(lena)
    say(lena, mine, HELLO, 1)
    turn = write(mine)
    assert (turn.comparison, len(turn.texts)) == (None, 1)
    assert look(lena, mine)["turn"]["reply"] == turn.texts[0]
    assert say(lena, mine, ON, 2).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [({"talk_replies": 0}, "no_talks"), ({"state": "paused"}, "not_open")],
)
def test_a_project_that_does_not_talk_says_why(
    talking: Project, lena: Person, change: dict, code: str
) -> None:
    mine = take_up(lena)
    Project.objects.update(**change)
    assert take_up(lena)["error"]["code"] == code
    assert say(lena, mine, HELLO, 1).json()["error"]["code"] == code
    assert not Prompt.objects.filter(source="talk").exists()


def test_without_a_policy_nobody_talks(project: Project, lena: Person) -> None:
    Project.objects.update(talk_replies=2)
    assert take_up(lena)["error"]["code"] == "no_policy"


def test_a_manager_turns_talks_on(project: Project, maya: Person) -> None:
    path = "/api/projects/tales/"
    assert maya.api.patch(path, {"talk_replies": 3}).json()["talk_replies"] == 3
    refused = maya.api.patch(path, {"talk_replies": 1}).json()["error"]
    assert refused["message"] == "talk_replies is 1; it must be 0 (no talks), 2, 3 or 4."


def test_a_text_project_has_no_talks(project: Project, maya: Person) -> None:
    Project.objects.update(modality="text")
    refused = maya.api.patch("/api/projects/tales/", {"talk_replies": 2})
    assert refused.json()["error"]["field"] == "talk_replies"


def test_nobody_sees_the_talk_of_another(
    talking: Project, lena: Person, luis: Person, maya: Person
) -> None:
    mine = began(lena)
    for other in (luis, maya):
        assert other.api.get(f"/api/talks/{mine['key']}/").status_code == 404
    assert Talk.objects.count() == 1
