"""The sentences of the demo's tales: what can happen to a hero, a thing and a helper.

Slots in braces are filled by tales.py. `{hero}` is a name, `{he}`, `{him}`, `{his}` its pronouns
(capitalised as `{He}`, `{His}`), `{thing}` a bare noun, `{helper}` an animal ("turtle") that
`{a_helper}` ("an old turtle") brings into the tale.
A turn or a reaction that begins with LOSES leaves the hero without the thing, so that an ending
that begins with KEEPS, where the hero still has it, cannot follow.
"""

# ruff: noqa: E501 - a sentence stays on one line

LOSES = "-"
KEEPS = "+"

OPENINGS = [
    "{When}, {hero} the {animal} found {a_thing} {where}.",
    "{When}, {hero} the {animal} found {a_fine_thing} {where}.",
    "{hero} was {a_trait} {animal}. {When}, {he} found {a_thing} {where}.",
    "Once there was {a_trait} {animal} called {hero}, who found {a_fine_thing} {where}.",
    '"What is this?" said {hero} the {animal}. It was {a_fine_thing}, lying {where}.',
    "Nobody knew who had left {a_thing} {where}, but {hero} the {animal} found it.",
    "{hero} the {animal} was looking for mushrooms {where} and found {a_thing} instead.",
    "{When}, {where}, something caught the eye of {hero} the {animal}. It was {a_fine_thing}.",
]

REACTIONS = {
    "music": [
        "One note from the {thing} made the whole valley listen.",
        "{He} tried the {thing}, and even the crows went quiet.",
        "",
    ],
    "light": [
        "The {thing} shone so brightly that the dark stepped back.",
        "By its light {he} could count every stone on the path.",
        "",
    ],
    "clothes": [
        "It was far too big, but {he} tried it on and turned around twice.",
        "The {thing} smelled of soap and of somebody else.",
        "",
    ],
    "food": [
        "It smelled so good that {his} nose would not keep still.",
        "{He} did not eat it, not even a little, and that was hard.",
        "",
    ],
    "treasure": [
        "It glittered like rain in the sun.",
        "{He} had never owned anything that shone.",
        "",
    ],
    "tool": [
        '"{A_thing} is always good for something," {he} said.',
        "It was older than the oldest tree and just as strong.",
        "",
    ],
    "seedling": [
        "Something green was asleep inside it.",
        "It weighed almost nothing and smelled of rain.",
        "",
    ],
    "vessel": [
        "It was full of dust and one very small spider.",
        "{He} looked inside and said hello, and the {thing} said hello back.",
        "",
    ],
    "paper": [
        "The rain had washed away every word but one.",
        "{He} read it twice, and then once more upside down.",
        "",
    ],
}

PLOTS = {
    "owner": {
        "middle": [
            '{A_helper} came along the path, searching. "I have lost my {thing}," said the {helper}.',
            'There {he} met {a_helper}. "That {thing} belonged to my mother," said the {helper}.',
        ],
        "happy": [
            "-{hero} gave it back at once and asked for nothing.",
            "-So {hero} held out the {thing}, and the {helper} took it with both hands.",
        ],
        "sad": [
            "{hero} hid the {thing} and said that {he} had seen nothing.",
            "-{hero} threw the {thing} into the river before anyone could ask again.",
        ],
        "open": [
            "{hero} looked at the {thing} and did not know what to say.",
            '"How can I be sure?" asked {hero}, and they both sat down to think.',
        ],
    },
    "rescue": {
        "middle": [
            "Just then {a_helper} slipped into the river and called for help.",
            "Not far away, {a_helper} was stuck in the mud up to the chin.",
            "Then {he} heard {a_helper} calling from the bottom of a well.",
        ],
        "happy": [
            "{hero} held out the {thing} and pulled until the {helper} was safe.",
            "-{hero} let go of the {thing}, ran, and got the {helper} out just in time.",
        ],
        "sad": [
            "{hero} was too afraid to move, and soon nobody called any more.",
            "{hero} ran for help, but when {he} came back the {helper} had vanished.",
        ],
        "open": [
            "{hero} held on to the {thing} and shouted for the others.",
            "{hero} had one plan, and it was not a very good plan.",
        ],
    },
    "search": {
        "middle": [
            "On the way home it fell into the tall grass. {A_helper} offered to help {him} look.",
            "But on the bridge it slipped away, into the water. {A_helper} dived after it.",
        ],
        "happy": [
            "They looked under every leaf, and at sunset the {thing} was theirs again.",
            "After a long time the {helper} came back with the {thing}.",
        ],
        "sad": [
            "-They looked until it was dark, but they did not find the {thing}.",
            "-All that they found was a hole, and the hole was very deep.",
        ],
        "open": [
            "-They looked until it was dark and said that they would look again tomorrow.",
            "-The {helper} found a trail of small wet footprints.",
        ],
    },
    "quarrel": {
        "middle": [
            '"I saw it first," said {a_helper}. They both pulled at the {thing}.',
            '{A_helper} wanted the {thing} too. "Mine," said the one. "No, mine," said the other.',
        ],
        "happy": [
            "Then {hero} saw how silly they looked and said that they could share it.",
            "-Then {hero} let go and said that the {helper} could have it.",
        ],
        "sad": [
            "-Then it flew out of their hands and broke on a stone.",
            "They said things that could not be unsaid, and the {helper} walked away.",
        ],
        "open": [
            "The sun went down, and neither of them would let go.",
            "In the end they went to ask the judge, who was asleep.",
        ],
    },
    "journey": {
        "middle": [
            "{He} set out to bring it to {a_helper} who lived beyond the mountains.",
            "{A_helper} far away had always wanted {a_thing}, so {hero} packed a bag and went.",
        ],
        "happy": [
            "-After three days {he} saw a light, and the {helper} was waiting with hot soup.",
            "-It rained all the way, but the {helper} ran out to meet {him}.",
        ],
        "sad": [
            "When {he} came at last, the windows were dark and the {helper} had moved away.",
            "On the third day snow covered the road, and {he} had to turn back.",
        ],
        "open": [
            "Halfway there the path split in two.",
            "On the third day {he} came to a river without a bridge.",
        ],
    },
    "thief": {
        "middle": [
            "That night {a_helper} crept in and stole it. {hero} followed the tracks through the wood.",
            "But {a_helper} took it while {he} slept. {hero} was soon on the trail.",
        ],
        "happy": [
            "The {helper} had only wanted to look at it, and gave it back.",
            '-"You need it more than I do," said {hero}, and let the {helper} have it.',
        ],
        "sad": [
            "-The tracks ended at the sea.",
            "-{He} found only the {thing}, broken into pieces, beside the road.",
        ],
        "open": [
            "-The tracks led into a cave, and something in the cave was humming.",
            "-The {helper} looked up and offered {him} a game for it.",
        ],
    },
    "gift": {
        "middle": [
            "It was the birthday of {a_helper} next door. {hero} wrapped the {thing} in leaves.",
            "{He} knew {a_helper} who had never been given a present, and tied a ribbon round it.",
        ],
        "happy": [
            '-"For me?" said the {helper}, and turned quite pink.',
            "-The {helper} opened it slowly and could not speak for a whole minute.",
        ],
        "sad": [
            '-"I do not want it," said the {helper}, and shut the door.',
            "-The {helper} laughed at it and gave it to the geese.",
        ],
        "open": [
            "-{He} put it at the door, knocked twice and hid behind a tree.",
            '-"Guess what it is," said {hero}, and the {helper} began to guess.',
        ],
    },
    "wish": {
        "middle": [
            "A small voice inside it offered one wish. {hero} asked {a_helper} for advice.",
            '"It grants wishes, but only one," said {a_helper}, who knew about such things.',
        ],
        "happy": [
            "{hero} wished for a party, and lamps lit up in all the trees.",
            "{hero} wished for a house with room for two.",
        ],
        "sad": [
            "-{hero} wished too quickly, and the {thing} turned to dust.",
            "{hero} wished to be left in peace, and at once the {helper} disappeared.",
        ],
        "open": [
            "{hero} closed {his} eyes and thought about it all night.",
            '"Then I shall wait for a rainy day," said {hero}.',
        ],
    },
    "storm": {
        "middle": [
            "Then a storm came over the hills. {hero} hid in a hollow tree with {a_helper}.",
            "Thunder rolled, and {a_helper} knocked at the door and asked to come in.",
        ],
        "happy": [
            "They told each other stories until the sky was blue.",
            "The roof held, the kettle boiled, and by morning the sun was out.",
        ],
        "sad": [
            "-The wind tore the {thing} away and threw it into the sea.",
            "In the morning the house was a heap of sticks.",
        ],
        "open": [
            "The wind asked to come in too.",
            "All night something large walked around outside.",
        ],
    },
    "fair": {
        "middle": [
            "{He} took it to the fair, where {a_helper} offered ten nuts for it.",
            "At the market {a_helper} stopped and asked what the {thing} cost.",
        ],
        "happy": [
            '-"Nothing at all," said {hero}, and the {helper} bought {him} a bun.',
            "{hero} would not sell, but let everyone at the fair have a turn.",
        ],
        "sad": [
            "-{hero} sold it, and at once wished that {he} had not.",
            "-The {helper} ran off with it and did not pay.",
        ],
        "open": [
            "{hero} asked for eleven nuts, and the {helper} began to count.",
            "{hero} said that {he} would have to ask the {thing} first.",
        ],
    },
    "door": {
        "middle": [
            "Behind a curtain of ivy was a round door. {A_helper} guarded it and looked at the {thing}.",
            "It showed {him} the way to a round door, and {a_helper} was standing before it.",
        ],
        "happy": [
            "Behind the door was a garden, and somebody had baked a cake.",
            '"We have been expecting you," said the {helper}, and opened it wide.',
        ],
        "sad": [
            "Behind the door there was nothing but snow, and it fell shut.",
            '"You have come too late," said the {helper}, and turned the lock.',
        ],
        "open": [
            "Behind the door a stair went down and down.",
            '"Only one of us can go in," said the {helper}.',
        ],
    },
    "stage": {
        "middle": [
            "{He} wanted to show it at the village hall. {A_helper} helped {him} to practise.",
            "{A_helper} asked {him} to bring the {thing} on stage that night.",
        ],
        "happy": [
            "{He} forgot {his} words, but the whole hall clapped until the lamps shook.",
            "It went wrong in the best way, and they had to do it twice.",
        ],
        "sad": [
            "When the curtain opened, every chair was bare.",
            "{He} tripped over the {thing}, and the crowd booed.",
        ],
        "open": [
            "The curtain opened, and somebody in the first row coughed.",
            "{He} was third in line, after a singing cabbage.",
        ],
    },
}

# Each mood's endings: whole sentences, and heads that go with any of the mood's tails.
ENDINGS = {
    "happy": [
        "{hero} had never been so happy.",
        "And the two of them were friends from that day on.",
        "+{hero} and the {helper} sang, and the {thing} hung over the door for luck.",
        "Then they hugged, and neither wanted to be the first to let go.",
        '"This is the best day of my life," said {hero}.',
        '"I am glad that I met you," said the {helper}.',
        "Every year on that day they have a feast with plum cake.",
        "{hero} was so proud that {he} walked home on tiptoe.",
        "And if you listen at night, you can hear them laughing still.",
        "+{hero} smiled and put the {thing} under {his} pillow.",
        "Soon everyone in the wood knew, and everyone cheered.",
        "It was, they all agreed, a delightful end to the day.",
        "{hero} grinned from ear to ear.",
        "And so the {helper} stayed for supper, and they laughed a great deal.",
        "From then on there were two happy faces at the window.",
        "Even the moon seemed to smile.",
        '"Three cheers for {hero}!" they called, and threw their hats.',
        "That was how {hero} got a best friend.",
        "They shared a blanket, warm and merry, and watched the stars.",
        "+They built a shelf for the {thing} and were merry all evening.",
    ],
    "sad": [
        "{hero} sat down in the road and cried.",
        "After that nobody came to visit, and {hero} was lonely.",
        "{hero} went to bed sad and did not sleep.",
        "It was the saddest evening of the year.",
        "{hero} never stopped missing the {helper}.",
        '"I am sorry," said {hero}, but there was nobody to hear it.',
        "All winter {hero} missed the {helper}.",
        "+The {thing} lay in a drawer, forgotten and sad.",
        "And that was the end of a lost friendship.",
        "Two tears fell into the dust.",
        "{hero} sighed and blew out the candle.",
        "Since then the wood has been a gloomy place.",
        "+{hero} looked at the {thing} and felt ashamed.",
        "{hero} still weeps when it rains.",
    ],
    "open": [
        "What would you have done?",
        "And what came next, nobody can say.",
        "{hero} took a deep breath.",
        "But that is a tale for another evening.",
        '"Well," said {hero}, "we shall see."',
        "Far away a clock struck twelve.",
        "+{hero} held the {thing} a little tighter.",
        "The {helper} winked and said nothing.",
        "Then there was a knock at the door.",
        "{hero} has not decided to this day.",
        "Some say it was magic, and some say it was the wind.",
        '"Did you hear that?" whispered the {helper}.',
        "+And the {thing} began, very quietly, to hum.",
        "Tomorrow would be Tuesday.",
    ],
}

HEADS = {
    "happy": [
        "{hero} and the {helper} danced",
        "{hero} sang",
        "They laughed",
        "{hero} hummed a happy tune",
        "The {helper} and {hero} feasted",
        "{hero} hugged the {helper} and smiled",
        "They sat together, warm and glad,",
        "Everybody cheered",
        "{hero} was merry",
        "They danced in a ring",
        "+{hero} polished the {thing} and sang",
        "The two friends told jokes",
    ],
    "sad": [
        "{hero} cried",
        "{hero} walked alone",
        "{hero} sat there, cold and sorry,",
        "{hero} sighed",
        "+{hero} carried the {thing} home in tears",
        "{hero} was lonely",
    ],
    "open": [
        "{hero} waited",
        "{hero} and the {helper} looked at each other",
        "Nobody spoke",
        "{hero} stood still and listened",
        "+{hero} turned the {thing} over and over",
        "The {helper} hummed",
    ],
}

TAILS = [
    "until the stars came out",
    "until the moon was high",
    "all the way home",
    "under the old oak",
    "until the candle was short",
    "beside the river",
    "while the snow fell",
    "until the first bird woke",
    "in the last of the light",
    "while the wind turned the leaves",
    "until the bells rang for supper",
    "behind the garden wall",
    "for an hour and a half",
    "as the lamps were lit",
]

SEQUELS = {
    "kept": [
        "{Later}, {hero} took the {thing} out again.",
        "{Later}, {hero} showed the {thing} to {his} aunt.",
        "{Later}, {hero} carried the {thing} down to the village.",
        "{Later}, {hero} dreamed about the {thing} and woke up early.",
    ],
    "lost": [
        "{Later}, {hero} found another {thing}, {where}.",
        "{Later}, {hero} was still thinking of the {thing}, and there it was, {where}.",
        "{Later}, somebody left a new {thing} at the door of {hero}.",
    ],
}

VERSE_OPENINGS = [
    "{hero} the {animal} went out one night\nand found {a_thing} in pale moonlight.",
    "{hero} the {animal}, up with the sun,\nfound {a_thing} and began to run.",
    "There once was {a_animal}, {hero} by name,\nwho found {a_thing} when the autumn came.",
    "Down by the mill where the water is deep,\n{hero} the {animal} found {a_thing} asleep.",
    '"Look," said {hero} the {animal}, "look over there:\n{a_thing} has come down through the cold blue air."',
    "{A_thing} lay shining beside the brook.\n{hero} the {animal} stopped to look.",
]

VERSE_MIDDLES = [
    '"Is it yours?" {he} asked {a_helper} nearby.\n"It fell," came the answer, "out of the sky."',
    "Along came {a_helper}, out of the rain,\nand wanted to see the {thing} again.",
    "{He} carried it over the hill to the town,\nand met with {a_helper} on the way down.",
    "{A_helper} was passing and stopped for a chat\nof {thing} and weather and this and that.",
    "A storm blew up and the sky went black.\n{A_helper} called, and a voice called back.",
    "They tugged at the {thing}, {a_helper} and {he},\nwhile nine white geese came over to see.",
]

VERSE_ENDINGS = {
    "happy": [
        "So they danced in the grass till the day was done,\nand {hero} was happy as anyone.",
        "And {hero} laughed, and the {helper} too,\nand they baked a cake that was big enough for two.",
        "They sang by the fire, they sang by the door,\nthe best of friends for evermore.",
        "Now {hero} is merry from morning to night,\nand the window is warm with a yellow light.",
        "The whole wood cheered and the bells were rung,\nand a glad little song for {hero} was sung.",
        "They shared it in halves with a hug and a grin,\nand opened the door and let everyone in.",
        "And {hero} smiled as {he} turned out the light,\nand wished the whole valley a happy good night.",
        "They feasted on plums and they danced in a row,\nwith a hop and a skip and a heel and a toe.",
    ],
    "sad": [
        "But nobody came and nobody cared,\nand {hero} cried at the bread that {he} never shared.",
        "The {helper} went off and the door blew to,\nand {hero} was lonely the whole night through.",
        "It sank in the river, it sank like a stone,\nand {hero} walked home in the dark alone.",
        "The fire went out and the soup went cold,\nand a sad little tale is the tale I told.",
        "So {hero} sighed as the leaves came down,\nthe sorriest soul in the sorriest town.",
    ],
    "open": [
        "And what did they do when the clock struck four?\nNobody knows, for they shut the door.",
        "Then something went tap on the window pane,\nonce, and then twice, and then once again.",
        "The road ran left and the road ran right,\nand {hero} stood still in the fading light.",
        "The rest of the story is hard to tell:\nyou must ask the frog at the foot of the well.",
        "So {hero} is waiting, and so is the moon,\nand something will happen, and happen soon.",
    ],
}
