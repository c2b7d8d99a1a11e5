import random
import re
from statistics import mean

import pytest

from rewardtrain.demo import plots, prompts, tales, taste


def tales_of(seed: int, count: int) -> list[tuple[tales.Subject, tales.Tale]]:
    rng = random.Random(seed)
    subjects = [tales.subject(rng) for _ in range(count)]
    return [(about, tales.tell(rng, about)) for about in subjects]


def test_the_same_seed_tells_the_same_tales():
    assert tales_of(3, 20) == tales_of(3, 20)
    assert tales_of(3, 20) != tales_of(4, 20)


def test_a_tale_names_its_hero_and_thing_and_leaves_no_slot_open():
    for about, tale in tales_of(0, 2_000):
        assert re.search(rf"\b{about.hero}\b", tale.text)
        assert re.search(rf"\b{about.thing}\b", tale.text)
        assert "{" not in tale.text
        assert "  " not in tale.text
        assert tale.text[0] in '"ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        assert re.search(r'[.!?]"?$', tale.text)


def test_articles_fit_their_nouns():
    for about, tale in tales_of(1, 2_000):
        text = f"{tales.ask(random.Random(0), about)} {tale.text}"
        assert not re.search(r"\b[Aa] [aeiou]", text), text
        assert not re.search(r"\b[Aa]n (?!hour)[^aeiou]", text), text


def test_a_tale_has_about_fifty_words():
    lengths = [len(tale.text.split()) for _, tale in tales_of(2, 2_000)]
    assert 45 <= mean(lengths) <= 65
    assert max(lengths) <= 90


def test_half_of_the_tales_end_happily():
    moods = [tale.mood for _, tale in tales_of(5, 4_000)]
    assert 0.46 < moods.count("happy") / len(moods) < 0.54
    assert 0.21 < moods.count("sad") / len(moods) < 0.29


@pytest.mark.parametrize("tell", [tales.tell, tales.rhyme])
def test_people_read_an_ending_as_the_grammar_meant_it(tell):
    rng = random.Random(6)
    for _ in range(3_000):
        tale = tell(rng, tales.subject(rng))
        assert taste.mood(tale.text) == {"happy": 1, "open": 0, "sad": -1}[tale.mood], tale.text


def test_a_lost_thing_is_not_held_at_the_end():
    held = [ending for mood in plots.ENDINGS for ending in plots.ENDINGS[mood] + plots.HEADS[mood]]
    held = [ending.removeprefix(plots.KEEPS) for ending in held if ending.startswith(plots.KEEPS)]
    verbs = {verb for ending in held for verb in re.findall(r"(\w+) the \{thing\}", ending)}
    lost = [tale for _, tale in tales_of(7, 4_000) if tale.lost]
    assert verbs
    assert len(lost) > 1_000
    for tale in lost:
        assert tales.ending(tale.text).split("the THING")[0].split()[-1] not in verbs


def test_endings_are_many_and_masked():
    told = tales_of(8, 2_000)
    endings = {tales.ending(tale.text) for _, tale in told}
    assert len(endings) > 400
    assert not any(about.hero in tales.ending(tale.text).split() for about, tale in told)


def test_an_ending_is_the_last_sentence_even_when_it_is_speech():
    text = 'Pip ran. "Did you hear that?" whispered the crow.'
    assert tales.ending(text) == '"Did you hear that?" whispered the crow.'
    assert tales.ending("Pip ran. Pip kept the key.") == "HERO kept the THING."
    assert tales.ending("") == ""


def test_a_verse_is_three_couplets():
    rng = random.Random(9)
    for _ in range(200):
        assert tales.rhyme(rng, tales.subject(rng)).text.count("\n") == 5


def test_some_examples_are_dialogues_and_a_few_forget_what_was_asked():
    rng = random.Random(10)
    examples = [tales.example(rng) for _ in range(3_000)]
    dialogues = [turns for turns in examples if len(turns) == 4]
    assert 0.08 < len(dialogues) / len(examples) < 0.18
    for turns in examples:
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
    forgot = [
        turns
        for turns in examples
        if any(name not in turns[1]["content"] for name in taste.asked(turns[0]["content"]))
    ]
    assert 0.03 < len(forgot) / len(examples) < 0.15


def test_the_project_has_hundreds_of_distinct_prompts_and_some_chats():
    made = prompts.demo_prompts()
    assert made == prompts.demo_prompts()
    assert len({str(messages) for messages in made}) == len(made) >= 400
    chats = [messages for messages in made if len(messages) == 3]
    assert len(chats) == prompts.CHATS
    for messages in made:
        assert messages[-1]["role"] == "user"
        assert all(taste.asked(messages[0]["content"]))
