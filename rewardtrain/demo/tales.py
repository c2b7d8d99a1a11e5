"""The grammar that writes the demo's corpus: tales, verses and "tell me more" dialogues.

A tale is asked for with a hero and a thing ("Tell a tale about Pip the owl, who finds a key.") and
is an opening, a plot with a helper, a turn and an ending that is happy, open or sad. About half end
happily. A few tales (DRIFT) forget whom or what they were asked about, as careless writers do.

    rng = random.Random(0)
    tale = tell(rng, subject(rng))
"""

# ruff: noqa: SIM905 - a list of words reads best as text
import random
import re
from dataclasses import dataclass, replace

from rewardtrain.demo import plots
from rewardtrain.demo.plots import KEEPS, LOSES

HE = (
    "Pip Tom Max Oli Bram Finn Gus Hugo Ned Otto Rufus Theo Jasper Milo Barnaby Felix Alfie Bertie "
    "Casper Dexter Ludo Monty Percy Toby"
).split()
SHE = (
    "Mia Ada Bella Clara Daisy Elsa Flora Greta Hazel Ida Juno Kitty Luna Molly Nell Olive Poppy "
    "Ruby Stella Tilda Una Violet Willa Zoe"
).split()
NAMES = HE + SHE

ANIMALS = (
    "owl fox hen bear mouse frog duck cat goat mole hare snail otter badger hedgehog squirrel "
    "rabbit toad pony lamb"
).split()
TRAITS = "shy small curious clumsy brave quiet hungry careful dreamy stubborn tidy cheerful".split()

HELPERS = "turtle crow heron beaver stork swan goose robin donkey deer weasel sparrow".split()
MANNERS = "old kind wise shy young tall busy sleepy grumpy polite ragged plump".split()

_THINGS = {
    "music": "drum flute horn bell whistle harp",
    "light": "lamp lantern candle torch",
    "clothes": "hat scarf boot mitten cape",
    "food": "pie pear apple bun pumpkin",
    "treasure": "coin ring pearl crown shell feather button",
    "tool": "key rope ladder hammer needle umbrella",
    "seedling": "seed acorn bean",
    "vessel": "kettle teapot jar basket",
    "paper": "letter map book ticket",
}
THINGS = {kind: words.split() for kind, words in _THINGS.items()}
KIND = {thing: kind for kind, things in THINGS.items() for thing in things}

LOOKS = {
    "music": ["little silver", "dented"],
    "light": ["tall", "little brass"],
    "clothes": ["red woollen", "striped"],
    "food": ["big round", "golden"],
    "treasure": ["shining", "tiny"],
    "tool": ["rusty", "very old"],
    "seedling": ["smooth brown", "tiny"],
    "vessel": ["blue", "cracked"],
    "paper": ["crumpled", "very old"],
}

WHEN = [
    "one morning",
    "late one evening",
    "one windy day",
    "on a rainy day",
    "long ago",
    "early in spring",
    "one autumn afternoon",
    "on market day",
    "before the sun was up",
    "once upon a time",
]
WHERE = [
    "under the bridge",
    "by the river",
    "in the tall grass",
    "on the hill",
    "behind the mill",
    "in the orchard",
    "near the pond",
    "at the edge of the wood",
    "on the beach",
    "beside the well",
    "under an oak tree",
    "by the garden gate",
]
LATER = [
    "the next morning",
    "a week later",
    "when spring came",
    "that same night",
    "a year later",
]

ASKS = [
    "Tell a tale about {hero} the {animal}, who finds {a_thing}.",
    "Tell me a story about {hero} the {animal} and {a_thing}.",
    "Write a short tale of {hero} the {animal}, who finds {a_thing}.",
    "Please tell a tale of {hero} the {animal} and {a_thing}.",
    "A bedtime story, please: {hero} the {animal} finds {a_thing}.",
    "What happened when {hero} the {animal} found {a_thing}?",
]
VERSE_ASKS = [
    "Write a verse about {hero} the {animal} and {a_thing}.",
    "Make a rhyme about {hero} the {animal}, who finds {a_thing}.",
    "Tell it in verse: {hero} the {animal} finds {a_thing}.",
]
MORE_ASKS = [
    "Tell me more.",
    "What happened next?",
    "And then?",
    "Go on, please.",
    "Tell me more about the {thing}.",
    "Tell me more about {hero}.",
]

MOODS = {"happy": 0.5, "sad": 0.25, "open": 0.25}
VERSES = 0.15
DIALOGUES = 0.15
DRIFT = 0.04


@dataclass(frozen=True)
class Subject:
    """Whom and what a tale is about."""

    hero: str
    animal: str
    thing: str


@dataclass(frozen=True)
class Tale:
    """A tale's text, how it ends (`happy`, `sad` or `open`), and if the thing is lost by then."""

    text: str
    mood: str
    lost: bool


def subject(rng: random.Random) -> Subject:
    """A hero, its animal and a thing, at random."""
    return Subject(rng.choice(NAMES), rng.choice(ANIMALS), rng.choice(list(KIND)))


def ask(rng: random.Random, about: Subject, verse: bool = False) -> str:
    """A request for a tale, or for a verse."""
    return _fill(rng.choice(VERSE_ASKS if verse else ASKS), _slots(rng, about))


def ask_more(rng: random.Random, about: Subject) -> str:
    """A request to go on with a tale."""
    return _fill(rng.choice(MORE_ASKS), _slots(rng, about))


def tell(rng: random.Random, about: Subject) -> Tale:
    """A tale of about fifty words."""
    slots = _slots(rng, about)
    opening = _fill(rng.choice(plots.OPENINGS), slots)
    reaction = _fill(rng.choice(plots.REACTIONS[KIND[about.thing]]), slots)
    return _finish(rng, [opening, reaction], slots)


def tell_more(rng: random.Random, about: Subject, before: Tale) -> Tale:
    """What happened after the tale `before`, in about forty words."""
    slots = _slots(rng, about)
    sequel = _fill(rng.choice(plots.SEQUELS["lost" if before.lost else "kept"]), slots)
    return _finish(rng, [sequel], slots)


def rhyme(rng: random.Random, about: Subject) -> Tale:
    """A verse of three couplets."""
    slots = _slots(rng, about)
    mood = _mood(rng)
    couplets = [
        rng.choice(plots.VERSE_OPENINGS),
        rng.choice(plots.VERSE_MIDDLES),
        rng.choice(plots.VERSE_ENDINGS[mood]),
    ]
    text = "\n".join(_fill(couplet, slots) for couplet in couplets)
    return Tale(text, mood, lost=mood == "sad")


def example(rng: random.Random) -> list[dict[str, str]]:
    """One example of the corpus, in chat format: a request and its tale, perhaps a sequel too."""
    about = subject(rng)
    told = _drifted(rng, about)
    if rng.random() < VERSES:
        return _turns(ask(rng, about, verse=True), rhyme(rng, told).text)
    tale = tell(rng, told)
    turns = _turns(ask(rng, about), tale.text)
    if rng.random() < DIALOGUES:
        sequel = tell_more(rng, told, tale)
        turns += _turns(ask_more(rng, about), sequel.text)
    return turns


def sentences(text: str) -> list[str]:
    """The text's sentences, each with its closing mark."""
    return re.findall(r'\S.*?(?:[.!?]"?(?=\s+["A-Z])|\s*$)', text, flags=re.DOTALL)


def ending(text: str) -> str:
    """The last sentence, with names of heroes and things masked: two tales of different heroes
    that end alike have the same ending."""
    last = (sentences(text) or [""])[-1]
    last = re.sub(rf"\b({'|'.join(NAMES)})\b", "HERO", last)
    return re.sub(rf"\b({'|'.join(KIND)})\b", "THING", last)


def _finish(rng: random.Random, told: list[str], slots: dict[str, str]) -> Tale:
    """Adds a plot's middle, its turn and an ending to what is already told."""
    mood = _mood(rng)
    plot = rng.choice(list(plots.PLOTS.values()))
    turn = rng.choice(plot[mood])
    lost = turn.startswith(LOSES)
    told = [
        *told,
        _fill(rng.choice(plot["middle"]), slots),
        _fill(turn, slots),
        _fill(_ending(rng, mood, lost), slots),
    ]
    return Tale(" ".join(sentence for sentence in told if sentence), mood, lost)


def _ending(rng: random.Random, mood: str, lost: bool) -> str:
    while True:
        if rng.random() < 0.5:
            chosen = rng.choice(plots.ENDINGS[mood])
        else:
            chosen = f"{rng.choice(plots.HEADS[mood])} {rng.choice(plots.TAILS)}."
        if not (lost and chosen.startswith(KEEPS)):
            return chosen


def _mood(rng: random.Random) -> str:
    return rng.choices(list(MOODS), list(MOODS.values()))[0]


def _drifted(rng: random.Random, about: Subject) -> Subject:
    other = subject(rng)
    if rng.random() < DRIFT:
        about = replace(about, thing=other.thing)
    if rng.random() < DRIFT:
        about = replace(about, hero=other.hero)
    return about


def _turns(request: str, reply: str) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": request},
        {"role": "assistant", "content": reply},
    ]


def _slots(rng: random.Random, about: Subject) -> dict[str, str]:
    helper = rng.choice(HELPERS)
    male = about.hero in HE
    slots = {
        "hero": about.hero,
        "animal": about.animal,
        "a_animal": _article(about.animal),
        "a_trait": _article(rng.choice(TRAITS)),
        "thing": about.thing,
        "a_thing": _article(about.thing),
        "a_fine_thing": _article(f"{rng.choice(LOOKS[KIND[about.thing]])} {about.thing}"),
        "helper": helper,
        "a_helper": _article(f"{rng.choice(MANNERS)} {helper}"),
        "he": "he" if male else "she",
        "him": "him" if male else "her",
        "his": "his" if male else "her",
        "when": rng.choice(WHEN),
        "where": rng.choice(WHERE),
        "later": rng.choice(LATER),
    }
    return slots | {key[0].upper() + key[1:]: _capital(word) for key, word in slots.items()}


def _fill(template: str, slots: dict[str, str]) -> str:
    return template.removeprefix(LOSES).removeprefix(KEEPS).format_map(slots)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
