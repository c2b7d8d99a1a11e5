"""The story of a simulated circle: ask, label, learn, fine-tune, meet, promote, and ask again."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import close_old_connections
from django.utils import timezone
from knox.models import get_token_model

from annotation.asking import add_prompts
from annotation.models import Project
from annotation.projects import change_state, create_project
from rewardtrain import arena, gate, rounds
from rewardtrain.demo.projects import FINE_TUNING, POLICY, TALES_GUIDELINES
from rewardtrain.demo.prompts import demo_prompts
from rewardtrain.models import ModelVersion, Run
from rewardtrain.simulation import measures, people, servers

Kind, State = Run.Kind, Run.State
LOOK_EVERY = 0.5
ARENA_PROMPTS = 60
SPARE = 1.15
"""More prompts than labels: some pairs turn out to be the same text twice."""
Say = Callable[[str], None]


class CircleStands(Exception):
    """The circle cannot go on; the text says why."""


def turn(
    *, turns: int, labels: int, seed: int, say: Say, steps: int | None = None
) -> dict[str, Any]:
    """Turn the circle of a fresh project, and return every figure of it.

    Args:
        turns: rounds.
        labels: simulated labels a round; those of the arena come on top.
        seed: the same seed gives the same figures.
        say: told what happens.
        steps: of each fine-tuning; those of the contract when left out.

    Raises:
        CircleStands: a run failed, or a program ended.
    """
    began = time.monotonic()
    with servers.running() as processes:
        for name, pid in processes.pids.items():
            say(f"{name} is process {pid}")
        simulation = Simulation(labels, seed, processes, say, steps)
        try:
            figures = [simulation.turn_once() for _ in range(turns)]
        finally:
            simulation.close()
    return {
        "project": simulation.project.slug,
        "seed": seed,
        "labels_a_round": labels,
        "pids": processes.pids,
        "rounds": figures,
        "final": figures[-1]["policy"],
        "seconds": round(time.monotonic() - began, 1),
    }


class Simulation:
    """A project, its people, and what the measuring needs of its reference."""

    def __init__(
        self, labels: int, seed: int, processes: servers.Servers, say: Say, steps: int | None
    ) -> None:
        self.labels, self.seed, self.processes, self.say = labels, seed, processes, say
        self.options = {"steps": steps} if steps else {}
        self.project = make_project(labels, seed)
        self.manager, self.labelers = people.add_people(self.project, processes.port, seed)
        self.turns = 0
        maker = self.project.created_by
        assert maker is not None
        change_state(project=self.project, actor=maker, state=Project.State.OPEN)
        reference = rounds.reference_of(self.project)
        assert reference is not None
        self.reference = reference
        self.pairs_run: Run | None = None

    def turn_once(self) -> dict[str, Any]:
        """One round, from what the newest policy asks to the decision about the next one."""
        seconds: dict[str, float] = {}
        asked = self.timed(seconds, "ask", self.wait_for_questions)
        if self.pairs_run is None:
            self.pairs_run = measures.write_reference_pairs(self.project, self.reference, self.seed)
        self.timed(seconds, "label", lambda: self.answer(self.labels))
        learnt = self.timed(seconds, "reward", self.wait_for_reward_model)
        reward_model = self.take_reward_model(learnt)
        judging = self.judge(reward_model)
        tuned = self.timed(seconds, "policy", self.fine_tune)
        policy = ModelVersion.objects.get(run=tuned)
        self.timed(seconds, "arena_write", lambda: self.wait_for_arena(policy))
        met = arena.standing(policy, self.reference)
        self.timed(seconds, "arena_label", lambda: self.answer(met.open))
        measured = self.timed(seconds, "measure", lambda: self.measure(judging, policy))
        rate = arena.standing(policy, self.reference)
        self.decide(policy, rate)
        policy.refresh_from_db()
        assert learnt.batch is not None
        return {
            "round": asked.round.number if asked.round else None,
            "preferences": learnt.batch.size,
            "batch": {
                "number": learnt.batch.number,
                "size": learnt.batch.size,
                "fresh": learnt.batch.fresh,
                "sha256": learnt.batch.sha256,
            },
            "reward_model": {
                "number": reward_model.number,
                "gate": list(reward_model.decisions.order_by("pk").values_list("what", flat=True)),
                "accuracy": gate.accuracy_of({"folds": reward_model.metrics["folds"]}),
                "accuracy_heldout": reward_model.metrics["heldout"],
                "noiseless_accuracy": measured["accuracy"],
                "weights_sha256": reward_model.weights_sha256,
            },
            "policy": {
                "number": policy.number,
                "stage": policy.stage,
                "proxy_before": policy.metrics["before"]["reward"],
                "proxy_after": policy.metrics["after"]["reward"],
                "arena": {
                    "n": rate.n,
                    "value": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                },
                **measured["duels"],
                "weights_sha256": policy.weights_sha256,
            },
            "seconds": seconds,
        }

    def wait_for_questions(self) -> Run:
        """Until the newest policy has written enough for the round's labels."""

        def ready() -> bool:
            return not self.active(Kind.GENERATE) and self.open_labels() >= self.labels

        self.turns += 1
        self.wait(lambda: self.project.rounds.filter(number=self.turns).exists())
        asking = {"kind": Kind.GENERATE, "purpose": Run.Purpose.ASK, "round__number": self.turns}
        self.wait(lambda: self.project.runs.filter(**asking).exists() and ready())
        run = self.project.runs.filter(**asking).first()
        assert run is not None
        self.say(f"round {self.turns}: {self.open_labels()} comparisons wait for labels")
        return run

    def answer(self, wanted: int) -> None:
        """The labelers take turns, so the same one gets the same comparison every time."""
        for number in range(wanted):
            labeler = self.labelers[number % len(self.labelers)]
            if not labeler.answer_one():
                raise CircleStands(f"Only {number} of {wanted} comparisons were there to answer.")
        self.say(f"round {self.turns}: {wanted} answers given")

    def wait_for_reward_model(self) -> Run:
        which = {"kind": Kind.REWARD, "round__number": self.turns}
        self.wait(lambda: self.project.runs.filter(**which).exists())
        return self.wait_for_run(self.project.runs.get(**which))

    def take_reward_model(self, run: Run) -> ModelVersion:
        """The round's reward model in service; one that the gate refused, by the manager's hand."""
        version = ModelVersion.objects.get(run=run)
        if version.stage not in ModelVersion.IN_SERVICE:
            self.say(f"round {self.turns}: {version.decisions.first()}")
            self.manager.promote(version.pk, "The simulation goes on with every reward model.")
            version.refresh_from_db()
        return version

    def fine_tune(self) -> Run:
        started = self.manager.start(kind="policy", options=self.options)
        return self.wait_for_run(self.project.runs.get(pk=started["id"]))

    def wait_for_arena(self, policy: ModelVersion) -> Run:
        meeting = policy.runs_from.filter(kind=Kind.GENERATE, purpose=Run.Purpose.ARENA)
        self.wait(meeting.exists)
        return self.wait_for_run(meeting.get())

    def judge(self, reward_model: ModelVersion) -> Run:
        """Let the reward model score fresh pairs while the policy is fine-tuned against it."""
        assert self.pairs_run is not None
        self.pairs_run = self.wait_for_run(self.pairs_run)
        pairs = measures.decided_pairs(self.pairs_run, self.seed)
        return measures.judge_pairs(self.project, reward_model, pairs)

    def measure(self, judging: Run, policy: ModelVersion) -> dict[str, Any]:
        duels = measures.write_duels(self.project, policy, self.reference, self.seed)
        judged = self.wait_for_run(judging)
        assert judged.report is not None
        return {
            "accuracy": judged.report["accuracy"],
            "duels": measures.duels(self.wait_for_run(duels)),
        }

    def decide(self, policy: ModelVersion, rate: arena.WinRate) -> None:
        """The manager promotes what people preferred, and asks again either way."""
        if rate.value is not None and rate.value > 0.5:
            self.manager.promote(policy.pk)
            self.say(f"round {self.turns}: {policy} promoted at a win rate of {rate.value:.2f}")
        else:
            self.manager.start(kind="generate", purpose="ask")
            self.say(f"round {self.turns}: {policy} stays a candidate at {rate.value}")

    def open_labels(self) -> int:
        return self.manager.circle()["labels"]["open"]

    def active(self, kind: str) -> bool:
        runs = self.project.runs.filter(kind=kind, state__in=Run.ACTIVE)
        return runs.exclude(purpose=Run.Purpose.MEASURE).exists()

    def timed(self, seconds: dict[str, float], what: str, do: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = do()
        seconds[what] = round(time.monotonic() - began, 1)
        self.say(f"round {self.turns}: {what} took {seconds[what]} s")
        return result

    def wait_for_run(self, run: Run) -> Run:
        self.wait(lambda: not Run.objects.filter(pk=run.pk, state__in=Run.ACTIVE).exists())
        run = Run.objects.select_related("batch", "round").get(pk=run.pk)
        if run.state != State.SUCCEEDED:
            raise CircleStands(f"Run {run.pk} ({run.kind}) is {run.state}: {run.error}")
        return run

    def wait(self, until: Callable[[], bool]) -> None:
        while not until():
            self.processes.check()
            failed = self.project.runs.filter(state=State.FAILED).first()
            if failed is not None:
                raise CircleStands(f"Run {failed.pk} ({failed.kind}) failed: {failed.error}")
            close_old_connections()
            time.sleep(LOOK_EVERY)

    def close(self) -> None:
        """Nothing more is asked of the project, and its people's tokens end."""
        members = self.project.memberships.values("user")
        get_token_model().objects.filter(user__in=members).delete()
        Project.objects.filter(pk=self.project.pk).update(state=Project.State.CLOSED)


def make_project(labels: int, seed: int) -> Project:
    """A simulated project like "Tiny tales", still a draft."""
    maker, _ = get_user_model().objects.get_or_create(
        username="simulation", defaults={"password": "!"}
    )
    project = create_project(
        actor=maker,
        name=f"Simulated tales {timezone.now():%Y-%m-%d %H.%M}",
        guidelines=TALES_GUIDELINES,
        modality="chat",
        freeze_after=labels,
        grace_seconds=0,
        simulated=True,
    )
    project.memberships.update(simulated=True)
    rules = rounds.rules_of(project)
    rules.seed = seed
    rules.reward_options = {"folds": 5, "curve": False}
    rules.prompts_per_round = round(labels * SPARE)
    rules.arena_prompts = ARENA_PROMPTS
    rules.arena_checkpoints = 0
    # When the loop looks must not change what it does: the same seed gives the same figures.
    rules.freeze_early = False
    rules.policy_options = FINE_TUNING
    rules.save()
    rounds.set_reference(project=project, source=POLICY, actor=maker)
    add_prompts(project, demo_prompts(), source="demo")
    return project
