"""What is asked: prompts, the responses to them, and the comparisons built from both."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Combinable

from annotation.models.projects import Project


class Prompt(models.Model):
    class Split(models.TextChoices):
        TRAIN = "train"
        HELDOUT = "heldout", "held out"

    TALK = "talk"
    """The source of what a labeler said to the policy."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="prompts")
    messages = models.JSONField(help_text="Chat format: a list of role and content.")
    sha256 = models.CharField(max_length=64)
    thread_root = models.CharField(
        max_length=64, help_text="Hash of the first turn; dialogues that share it split together."
    )
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    split = models.CharField(max_length=8, choices=Split)
    checks = models.JSONField(default=list, blank=True, help_text="Verifiable checks.")
    source = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "thread_root"], name="prompt_thread")]
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="prompt_once_a_project"),
            models.CheckConstraint(
                condition=Q(split__in=["train", "heldout"]), name="prompt_split_known"
            ),
        ]

    def __str__(self) -> str:
        return self.messages[-1]["content"][:80] if self.messages else "(empty)"


class Response(models.Model):
    """A text somebody or something gave to a prompt. Who produced it is not here."""

    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="responses")
    messages = models.JSONField(help_text="Usually one assistant message.")
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "sha256"], name="response_once_a_prompt")
        ]

    def __str__(self) -> str:
        return self.messages[-1]["content"][:80] if self.messages else "(empty)"


RANDOM = "random"
"""The stream of comparisons that no strategy steered."""
ASKABLE = Q(state="open", done__lt=F("wanted") - F("leased"))
QUEUE_ORDER: list[Combinable] = [
    F("project"),
    F("lane"),
    Value(0) - F("priority"),
    F("shuffle"),
    F("id"),
]
"""All ascending, so that one row comparison says what lies before a place in the queue."""


class Comparison(models.Model):
    class Kind(models.TextChoices):
        ASK = "ask"
        GOLD = "gold"
        ANCHOR = "anchor"
        REPEAT = "repeat"
        ARENA = "arena"
        SUSPECT = "suspect"

    class State(models.TextChoices):
        GENERATING = "generating"
        OPEN = "open"
        CLOSED = "closed"

    class Lane(models.TextChoices):
        """Golds and anchors wait in lanes of their own: a project says which share they get."""

        MAIN = "main"
        GOLD = "gold"
        ANCHOR = "anchor"

    TRAINING_KINDS = (Kind.ASK, Kind.SUSPECT)

    project = models.ForeignKey(Project, models.PROTECT, related_name="comparisons", db_index=False)
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="comparisons")
    responses = models.ManyToManyField(Response, through="ComparisonResponse")
    sha256 = models.CharField(
        max_length=64, help_text="Of kind and responses: importing twice adds nothing."
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ASK)
    lane = models.GeneratedField(
        expression=Case(When(kind__in=["gold", "anchor"], then=F("kind")), default=Value("main")),
        output_field=models.CharField(max_length=8, choices=Lane),
        db_persist=True,
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    priority = models.SmallIntegerField(default=0)
    shuffle = models.FloatField(
        help_text="Place among equals: the prompt's turn, and within it chance, by content's hash."
    )
    stream = models.CharField(max_length=20, default=RANDOM)
    selection_probability = models.FloatField(default=1.0)
    wanted = models.PositiveSmallIntegerField(default=1)
    done = models.PositiveSmallIntegerField(default=0)
    leased = models.PositiveSmallIntegerField(default=0)
    returned = models.BooleanField(
        default=False,
        help_text="It became free after some had passed it by in the queue: a trigger notes that.",
    )
    reserved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    expected = models.JSONField(null=True, blank=True, help_text="A gold's answer.")
    repeat_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(*QUEUE_ORDER, name="comparison_queue", condition=ASKABLE),
            models.Index(
                *QUEUE_ORDER, name="comparison_returned", condition=ASKABLE & Q(returned=True)
            ),
            models.Index(fields=["project", "kind", "state"], name="comparison_kind_state"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="comparison_once_a_project"),
            models.CheckConstraint(
                condition=Q(done__lte=F("wanted") - F("leased")),
                name="comparison_never_over_assigned",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["ask", "gold", "anchor", "repeat", "arena", "suspect"]),
                name="comparison_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(selection_probability__gt=0, selection_probability__lte=1),
                name="comparison_probability_in_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {self.prompt}"


class ComparisonResponse(models.Model):
    comparison = models.ForeignKey(Comparison, models.PROTECT, related_name="places")
    response = models.ForeignKey(Response, models.PROTECT, related_name="places")
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["comparison", "place"]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "place"], name="place_once"),
            models.UniqueConstraint(
                fields=["comparison", "response"], name="response_once_a_comparison"
            ),
            models.CheckConstraint(condition=Q(place__lte=8), name="place_below_nine"),
        ]

    def __str__(self) -> str:
        return f"{self.comparison_id}[{self.place}]"
