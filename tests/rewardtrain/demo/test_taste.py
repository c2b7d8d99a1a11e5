import random
import re
from pathlib import Path

import pytest

from rewardtrain.demo import tales, taste

PROMPT = "Tell a tale about Pip the owl, who finds a key."
START = "One morning, Pip the owl found a key by the river. He showed it to a shy crow next door. "
HAPPY = START + "Then Pip and the crow danced all the way home."
OPEN = START + "Then Pip and the crow waited for the next morning."
SAD = START + "Then Pip went away and cried under the old oak."


def test_a_happy_ending_is_liked_best_and_a_sad_one_least():
    assert taste.quality(PROMPT, HAPPY) > taste.quality(PROMPT, OPEN) > taste.quality(PROMPT, SAD)


def test_only_the_ending_decides_the_mood():
    assert taste.mood("Pip cried and cried. Then they danced.") == 1
    assert taste.mood("They danced. Then Pip cried.") == -1
    assert taste.mood("") == 0


@pytest.mark.parametrize("forgotten", ["Pip", "key"])
def test_hero_and_thing_are_missed(forgotten):
    assert taste.quality(PROMPT, HAPPY.replace(forgotten, "moon")) < taste.quality(PROMPT, HAPPY)


def test_a_tale_in_which_somebody_speaks_is_livelier():
    spoken = HAPPY.replace("Then", '"Come along," said the crow. Then')
    assert taste.quality(PROMPT, spoken) > taste.quality(PROMPT, HAPPY)
    assert taste.quality(PROMPT, HAPPY + ' " " "') < taste.quality(PROMPT, HAPPY)


@pytest.mark.parametrize(
    "worse",
    [
        HAPPY + " Then Pip and the crow danced all the way home.",
        HAPPY.removesuffix("home.") + "the the the the the the the home.",
        HAPPY.removesuffix(" home."),
        "Pip and the key were happy.",
        "",
        "happy " * 60,
        "Pip key happy. " * 20,
    ],
)
def test_degenerate_text_is_disliked(worse):
    assert taste.quality(PROMPT, worse) < taste.quality(PROMPT, HAPPY) - 0.5


def test_length_alone_earns_nothing():
    longer = HAPPY.replace("Then", "Nobody else was awake so early in the day. Then")
    assert taste.quality(PROMPT, longer) == taste.quality(PROMPT, HAPPY)


@pytest.mark.parametrize("template", tales.ASKS + tales.VERSE_ASKS)
def test_hero_and_thing_are_read_from_every_request(template):
    request = template.format(hero="Ida", animal="otter", a_thing="an umbrella")
    assert taste.asked(request) == ("Ida", "umbrella")


def test_a_request_without_names_asks_for_none():
    assert taste.asked("Hello there") == ("", "")
    assert taste.quality("Hello there", HAPPY) == taste.quality(PROMPT, HAPPY)


def test_a_conversation_is_judged_by_its_first_request():
    chat = [
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": SAD},
        {"role": "user", "content": "Tell me more."},
    ]
    assert taste.quality(chat, HAPPY) == taste.quality(PROMPT, HAPPY)


def test_people_waver_but_mostly_follow_their_taste():
    rng = random.Random(0)
    happy, open_ = taste.quality(PROMPT, HAPPY), taste.quality(PROMPT, OPEN)
    answers = [taste.prefer(happy, open_, rng) for _ in range(4_000)]
    assert 0.88 < answers.count("a") / len(answers) < 0.97
    assert answers.count("b") > 0
    assert answers.count("tie") > 0


def test_people_have_no_favourite_side():
    rng = random.Random(1)
    answers = [taste.prefer(1.0, 1.0, rng) for _ in range(4_000)]
    assert abs(answers.count("a") - answers.count("b")) < 250
    assert 0.15 < answers.count("tie") / len(answers) < 0.35


@pytest.mark.parametrize("folder", ["core", "scripts"])
def test_no_training_path_imports_the_taste(folder):
    files = list((Path(taste.__file__).parents[1] / folder).glob("**/*.py"))
    assert files
    for file in files:
        assert not re.search(r"^\s*(from|import)\b.*\btaste\b", file.read_text(), re.MULTILINE), (
            file
        )
