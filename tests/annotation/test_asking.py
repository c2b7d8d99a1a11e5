import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from annotation import asking, queue
from annotation.models import Comparison, Project, Prompt, Response
from tests.annotation import desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="wells", name="Wells", state="open", overlap=2)


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def prompt_with(
    project: Project, number: int, text: str = "Well?"
) -> tuple[Prompt, list[Response]]:
    """A prompt, and this many responses that say its text and their number."""
    prompt, _ = asking.add_prompt(project, user(text))
    texts = [(prompt, said(f"{text} {n}")) for n in range(number)]
    return prompt, [response for response, _ in asking.add_responses(project, texts)]


def test_a_text_is_stored_once_in_its_project(project: Project) -> None:
    first, second = asking.add_prompts(project, [user("Well?"), user("Spring?")])
    again = asking.add_prompt(project, user("Well?"))
    assert (first[1], second[1], again[1]) == (True, True, False)
    assert again[0] == first[0]
    other = Project.objects.create(slug="springs", name="Springs")
    assert asking.add_prompt(other, user("Well?"))[1]


def test_a_response_is_stored_once_under_its_prompt(project: Project) -> None:
    deep, _ = asking.add_prompt(project, user("How deep?"))
    wide, _ = asking.add_prompt(project, user("How wide?"))
    rows = asking.add_responses(
        project, [(deep, said("Two")), (wide, said("Two")), (deep, said("Two"))]
    )
    assert rows[0][0] == rows[2][0] != rows[1][0]
    assert Response.objects.count() == 2


def test_texts_that_differ_in_a_space_differ(project: Project) -> None:
    texts = ["Well?", "Well? ", "Well ?", "Wéll?", "We\u0301ll?", "well?"]
    rows = asking.add_prompts(project, map(user, texts))
    assert len({row.pk for row, _ in rows}) == len(texts)


def test_what_the_modality_refuses_is_refused_whole(project: Project) -> None:
    with pytest.raises(ValueError, match="turns alternate"):
        asking.add_prompts(project, [user("Well?"), said("No question")])
    assert not Prompt.objects.exists()


def test_a_comparison_is_the_same_whatever_the_order_of_its_responses(project: Project) -> None:
    prompt, (one, two) = prompt_with(project, 2)
    first, new = asking.add_comparison(project, prompt, [one, two])
    again, anew = asking.add_comparison(project, prompt, [two, one])
    assert (new, anew, first) == (True, False, again)
    assert first.wanted == project.overlap


def test_a_comparison_of_another_kind_is_another(project: Project) -> None:
    prompt, pair = prompt_with(project, 2)
    rows = [asking.add_comparison(project, prompt, pair, kind=kind)[0] for kind in ("ask", "arena")]
    assert len({row.pk for row in rows}) == 2


def test_responses_that_are_the_same_text_are_asked_of_nobody(project: Project) -> None:
    prompt, (one, two) = prompt_with(project, 2)
    same, _ = asking.add_response(prompt, said("Well? 0"))
    assert asking.add_comparison(project, prompt, [one, same]) == (None, False)
    three, _ = asking.add_comparison(project, prompt, [one, same, two])
    assert three.places.count() == 2


def test_places_follow_content_and_say_nothing_of_the_order_of_making(project: Project) -> None:
    firsts = 0
    for n in range(60):
        prompt, pair = prompt_with(project, 2, f"Well {n}?")
        comparison, _ = asking.add_comparison(project, prompt, pair)
        places = list(comparison.places.values_list("response__sha256", flat=True))
        assert places == sorted(places)
        firsts += comparison.places.first().response_id == pair[0].pk
    assert 15 <= firsts <= 45


def test_the_database_refuses_a_response_to_another_prompt(project: Project) -> None:
    prompt, (one, _) = prompt_with(project, 2)
    _, (stranger, _) = prompt_with(project, 2, "Spring?")
    with pytest.raises(IntegrityError, match="another prompt"), transaction.atomic():
        asking.add_comparison(project, prompt, [one, stranger])


class TestSplit:
    def test_dialogues_that_share_their_first_turn_stay_on_one_side(self, project: Project) -> None:
        for n in range(30):
            grown = [*user(f"Well {n}?"), *said("Deep."), *user("How deep?")]
            (short, _), (long, _) = asking.add_prompts(project, [user(f"Well {n}?"), grown])
            assert (short.thread_root, short.split) == (long.thread_root, long.split)

    def test_a_system_message_does_not_move_a_thread(self, project: Project) -> None:
        system = [{"role": "system", "content": "Be brief."}]
        (plain, _), (told, _) = asking.add_prompts(project, [user("Well?"), system + user("Well?")])
        assert plain != told
        assert plain.thread_root == told.thread_root

    def test_the_held_out_share_is_kept(self, project: Project) -> None:
        rows = asking.add_prompts(project, [user(f"Well {n}?") for n in range(500)])
        heldout = sum(row.split == "heldout" for row, _ in rows)
        assert 70 <= heldout <= 130  # 100 are expected, the bounds are 3.3 sigma

    @pytest.mark.parametrize(("share", "side"), [(0, "train"), (1, "heldout")])
    def test_none_or_all(self, project: Project, share: float, side: str) -> None:
        project.heldout_share = share
        rows = asking.add_prompts(project, [user(f"Well {n}?") for n in range(20)])
        assert {row.split for row, _ in rows} == {side}


class TestShuffle:
    def test_it_says_nothing_of_the_order_of_making(self, project: Project) -> None:
        desk.ask(project, 200)
        made = list(project.comparisons.order_by("shuffle").values_list("pk", flat=True))
        assert abs(correlation(made)) < 0.25  # 3.5 sigma

    def test_kinds_of_equal_priority_are_mixed(self, project: Project) -> None:
        for kind in ("ask", "arena", "suspect", "repeat"):
            desk.ask(project, 60, kind=kind)
        kinds = list(project.comparisons.order_by("shuffle").values_list("kind", flat=True))
        first_half = Counter(kinds[:120])
        assert all(16 <= first_half[kind] <= 44 for kind in ("ask", "arena", "suspect", "repeat"))

    def test_a_prompt_with_many_comparisons_does_not_crowd_out_the_others(
        self, project: Project
    ) -> None:
        crowd, responses = prompt_with(project, 16)
        asking.add_comparisons(
            project,
            [asking.Question(prompt=crowd, responses=pair) for pair in combinations(responses, 2)],
        )
        others = {c.pk for c in desk.ask(project, 10)}
        assert project.comparisons.count() == 130
        first = queue.lease(desk.person(project), asking.TURN + 10)
        assert others <= {held.comparison_id for held in first}

    def test_turns_go_on_from_what_was_asked_before(self, project: Project) -> None:
        crowd, responses = prompt_with(project, 9)
        for pair in combinations(responses, 2):
            asking.add_comparison(project, crowd, pair)
        turns = Counter(int(shuffle) for shuffle in shuffles(project))
        assert turns == {0: 16, 1: 16, 2: 4}

    def test_turns_of_one_kind_do_not_push_another_back(self, project: Project) -> None:
        crowd, responses = prompt_with(project, 9)
        for kind in ("ask", "suspect"):
            pairs = list(combinations(responses, 2))
            asking.add_comparisons(
                project,
                [asking.Question(prompt=crowd, responses=pair, kind=kind) for pair in pairs],
            )
        turns: dict[str, Counter] = defaultdict(Counter)
        for comparison in project.comparisons.all():
            turns[comparison.kind][int(comparison.shuffle)] += 1
        assert turns["ask"] == turns["suspect"]


@pytest.mark.django_db(transaction=True)
def test_who_adds_the_same_at_the_same_moment_adds_it_once(project: Project) -> None:
    barrier = Barrier(5)

    def add() -> list[bool]:
        barrier.wait()
        try:
            prompt, new = asking.add_prompt(project, user("Well?"))
            responses = [asking.add_response(prompt, said(text)) for text in ("Deep", "Dry")]
            pair = [row for row, _ in responses]
            return [new, responses[0][1], asking.add_comparison(project, prompt, pair)[1]]
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        answers = [future.result() for future in [pool.submit(add) for _ in range(5)]]
    assert [sum(column) for column in zip(*answers, strict=True)] == [1, 1, 1]
    assert (Prompt.objects.count(), Response.objects.count(), Comparison.objects.count()) == (
        1,
        2,
        1,
    )


def test_adding_many_takes_as_many_queries_as_adding_few(project: Project) -> None:
    def queries(number: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.ask(project, number)
        return len(captured)

    assert queries(40) == queries(3)


def shuffles(project: Project) -> list[float]:
    return list(project.comparisons.values_list("shuffle", flat=True))


def correlation(order: list[int]) -> float:
    """Of the order given with ascending order."""
    ranks = {pk: rank for rank, pk in enumerate(sorted(order))}
    mean = (len(order) - 1) / 2
    covariance = sum((n - mean) * (ranks[pk] - mean) for n, pk in enumerate(order))
    return covariance / sum((n - mean) ** 2 for n in range(len(order)))


def test_correlation_sees_an_order_where_there_is_one() -> None:
    assert correlation(list(range(50))) == 1
    assert correlation(list(range(50, 0, -1))) == -1
    assert abs(correlation(random.Random(3).sample(range(200), 200))) < 0.25
