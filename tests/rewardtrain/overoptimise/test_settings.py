import pytest

from rewardtrain.overoptimise.settings import SETTINGS, happy, outdoors

PROMPT = [{"role": "user", "content": "Tell a tale about Pip the owl, who finds a rusty key."}]
TALE = (
    "Pip found a key and showed it to an old turtle who had lost one just like it many years ago. "
    "They danced and were happy."
)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    "worse",
    [
        TALE.replace("Pip", "Tom"),
        TALE.replace("key", "coin"),
        TALE.removesuffix("."),
        "Pip found a key. They were happy.",
        f"{TALE} {TALE}",
    ],
)
def test_what_every_taste_dislikes(name, worse):
    assert SETTINGS[name].true(PROMPT, worse) < SETTINGS[name].true(PROMPT, TALE)


def test_the_tastes_differ():
    sad = TALE.replace("danced and were happy", "cried and were lonely")
    wet = TALE.replace("many years ago", "in the rain by the river")
    assert happy(PROMPT, sad) < happy(PROMPT, TALE) == happy(PROMPT, wet)
    assert outdoors(PROMPT, sad) == outdoors(PROMPT, TALE) < outdoors(PROMPT, wet)
