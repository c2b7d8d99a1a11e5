"""The arena page: proxy reward and human win rate over the distance from the reference."""

import math
from typing import Any

from django.db.models import Avg, Count
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.api.pages import list_of
from annotation.models import Project
from annotation.models.projects import Role
from rewardtrain import arena, checkpoints, meetings, peak, rounds, suspects
from rewardtrain.api.models import version_for
from rewardtrain.api.rows import StandingSerializer, VersionLinkSerializer
from rewardtrain.models import Generation, Match, Metric, ModelVersion, Run, Score


class ArenaSerializer(serializers.Serializer):
    class Match(StandingSerializer):
        policy = VersionLinkSerializer()
        opponent = VersionLinkSerializer()

    class Point(serializers.Serializer):
        version = VersionLinkSerializer()
        run = serializers.IntegerField(
            allow_null=True, help_text="In which it was trained; its curve is among `curves`."
        )
        written = serializers.IntegerField(
            allow_null=True, help_text="The run whose samples met the reference's."
        )
        kl = serializers.FloatField(
            allow_null=True, help_text="Mean KL to the reference of a response, in nats."
        )
        proxy = serializers.FloatField(
            allow_null=True,
            help_text="How much more the reward model that the policy learnt from gives it than "
            "the reference on the same prompts, in spreads of its scores.",
        )
        win_rate = StandingSerializer(
            allow_null=True, help_text="Against the reference, by all answers."
        )
        verdict = StandingSerializer(
            allow_null=True, help_text="By the answers on which it was not chosen: believe these."
        )
        rating = serializers.FloatField(
            allow_null=True, help_text="Bradley-Terry, in nats above the reference."
        )

    class Curve(serializers.Serializer):
        """A policy run as the guard saw it: proxy reward over distance, and where it stopped."""

        class Step(serializers.Serializer):
            step = serializers.IntegerField()
            kl = serializers.FloatField()
            proxy = serializers.FloatField(help_text="Above the reward at the start.")

        class Stop(serializers.Serializer):
            kl = serializers.FloatField()
            sentence = serializers.CharField()

        class Fit(serializers.Serializer):
            """Gao et al. 2022: rating(d) = d (alpha - beta log d), d = sqrt(KL)."""

            alpha = serializers.FloatField()
            beta = serializers.FloatField()
            peak = serializers.FloatField(
                allow_null=True, help_text="The d at which the fit is highest."
            )

        run = serializers.IntegerField()
        policy = VersionLinkSerializer()
        leads = VersionLinkSerializer(
            allow_null=True, help_text="The state that people prefer most so far."
        )
        confirmed = serializers.BooleanField(
            help_text="Whether fresh answers say that it is better than the reference."
        )
        steps = Step(many=True)
        stop = Stop(allow_null=True)
        fit = Fit(allow_null=True)

    class Exploit(serializers.Serializer):
        """What the guard held for an exploit, and whether it still pays."""

        class Paid(serializers.Serializer):
            """Above the reference's answers, in spreads of the reward model's scores."""

            n = serializers.IntegerField()
            mean = serializers.FloatField()
            low = serializers.FloatField()
            high = serializers.FloatField()

        run = serializers.IntegerField()
        policy = VersionLinkSerializer(allow_null=True)
        suspects = serializers.IntegerField()
        preferred = StandingSerializer(help_text="By people, to the reference's answers.")
        before = Paid(allow_null=True, help_text="By the reward model that was fooled.")
        reward_model = VersionLinkSerializer(
            allow_null=True, help_text="In service now; null where it is the one that was fooled."
        )
        after = Paid(allow_null=True, help_text="By that one.")
        after_heldout = Paid(
            allow_null=True, help_text="The same on held-out prompts, which taught it nothing."
        )

    matches = Match(many=True)
    points = Point(many=True)
    exploits = Exploit(many=True)
    curves = Curve(many=True)


class MatchTextsSerializer(serializers.Serializer):
    """What a policy and the reference wrote to a prompt on which they met."""

    prompt = serializers.CharField(help_text="Its last turn.")
    policy = serializers.CharField()
    reference = serializers.CharField()
    kl = serializers.FloatField(allow_null=True)
    gain = serializers.FloatField(
        allow_null=True, help_text="Of the policy's proxy reward over the reference's, in spreads."
    )
    result = serializers.ChoiceField(["win", "tie", "loss"], allow_null=True)


class Arena(APIView):
    @extend_schema(operation_id="arena", responses=ArenaSerializer)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        return Response(ArenaSerializer(look_at(project)).data)


class Matches(APIView):
    @extend_schema(operation_id="model_matches", responses=list_of(MatchTextsSerializer))
    def get(self, request: Request, pk: int) -> Response:
        """How it met the reference, the worst exploit first; nothing while a match is open."""
        version = version_for(request, pk)
        return Response({"results": MatchTextsSerializer(texts_of(version), many=True).data})


def texts_of(policy: ModelVersion) -> list[dict[str, Any]]:
    """The worst exploit is what people like least of what the proxy likes most."""
    met = arena.look(
        Match.objects.filter(policy=policy, opponent__is_reference=True).select_related(
            "prompt", "policy_response", "opponent_response"
        )
    )
    if any(m.open for m in met):
        return []
    kl = dict(Generation.objects.filter(version=policy).values_list("response", "kl"))
    scores: dict[int, float] = {}
    spread = None
    if policy.reward_model is not None:
        scores = dict(policy.reward_model.scores.values_list("response", "value"))
        spread = policy.reward_model.metrics.get("normalisation", {}).get("spread")
    rows = []
    for m in met:
        ours, theirs = m.match.policy_response, m.match.opponent_response
        scored = ours.pk in scores and theirs.pk in scores
        rows.append(
            {
                "prompt": m.match.prompt.messages[-1]["content"],
                "policy": ours.messages[-1]["content"],
                "reference": theirs.messages[-1]["content"],
                "kl": kl.get(ours.pk),
                "gain": (scores[ours.pk] - scores[theirs.pk]) / spread
                if spread and scored
                else None,
                "result": m.result,
            }
        )
    order = {"loss": 0, "tie": 1, None: 1, "win": 2}
    return sorted(rows, key=lambda row: (order[row["result"]], -(row["gain"] or 0.0)))


def look_at(project: Project) -> dict[str, Any]:
    rates = arena.standings(Match.objects.filter(policy__project=project))
    versions = {version.pk: version for version in project.versions.all()}
    policies = [
        version
        for version in sorted(versions.values(), key=lambda v: (v.number, v.step or math.inf))
        if version.kind == ModelVersion.Kind.POLICY and not version.is_reference
    ]
    reference = rounds.reference_of(project)
    courses = {p.pk: meetings.course_of(p) for p in policies if p.checkpoint_of_id is None}
    ratings = ratings_of(project, courses)
    met = Run.objects.filter(purpose__in=Run.MEETINGS, policy__in=policies)
    shown = set(met.values_list("policy", flat=True)) | set(courses)
    points = [
        point(p, rates.get((p.pk, reference.pk)), ratings)
        for p in policies
        if reference and p.pk in shown
    ]
    return {
        "matches": [
            {
                **StandingSerializer(rate).data,
                "policy": versions[policy],
                "opponent": versions[opponent],
            }
            for (policy, opponent), rate in sorted(
                rates.items(), key=lambda item: (-item[0][0], item[0][1])
            )
        ],
        "points": points,
        "curves": [curve(p, points) for p in policies if p.run is not None],
        "exploits": exploits(project),
    }


def exploits(project: Project) -> list[dict[str, Any]]:
    """One a run with suspects, newest first."""
    now = rounds.in_service(project, ModelVersion.Kind.REWARD)
    runs = project.runs.annotate(count=Count("suspects")).filter(count__gt=0).order_by("-pk")
    return [
        {
            "run": run.pk,
            "policy": ModelVersion.objects.filter(run=run).first(),
            "suspects": run.count,
            "preferred": suspects.preferred(run),
            "before": suspects.paid(run, run.reward_model),
            "reward_model": other,
            "after": suspects.paid(run, other),
            "after_heldout": suspects.paid(run, other, "heldout"),
        }
        for run in runs.select_related("reward_model")
        for other in [now if now != run.reward_model else None]
    ]


def ratings_of(project: Project, courses: dict[int, meetings.Course | None]) -> dict[int, float]:
    """Of every state that entered an arena beside others."""
    equal_length = rounds.rules_of(project).equal_length
    found: dict[int, float] = {}
    for course in courses.values():
        if course is not None and any(rate.n for rate in course.rates.values()):
            found |= course.ratings(equal_length=equal_length).value
    return found


def point(
    policy: ModelVersion, rate: arena.WinRate | None, ratings: dict[int, float]
) -> dict[str, Any]:
    judged = meetings.verdict_run(policy)
    trained_by = policy.trained_by
    met = meetings.meeting_runs(policy).filter(state=Run.State.SUCCEEDED)
    return {
        "version": policy,
        "run": trained_by.pk if trained_by else None,
        "written": met.values_list("pk", flat=True).first(),
        "kl": mean_kl(policy),
        "proxy": proxy_gain(policy),
        "win_rate": rate if rate and (rate.n or rate.open) else None,
        "verdict": meetings.verdict(policy) if judged else None,
        "rating": ratings.get(policy.pk),
    }


def curve(policy: ModelVersion, points: list[dict[str, Any]]) -> dict[str, Any]:
    """What is drawn of the run that left `policy`."""
    assert policy.run is not None
    states = [p for p in points if p["run"] == policy.run.pk]
    steps = trained(policy.run)
    stop = checkpoints.stop_of(policy)
    leads = meetings.found(policy) or best_of(states)
    verdict = meetings.verdict(leads) if leads else None
    return {
        "run": policy.run.pk,
        "policy": policy,
        "leads": leads,
        "confirmed": verdict is not None and verdict.interval[0] >= 0.5,
        "steps": steps,
        "stop": stop and {"kl": kl_at(steps, stop["step"]), "sentence": stop["sentence"]},
        "fit": peak.fit([(p["kl"], p["win_rate"]) for p in states]),
    }


def best_of(states: list[dict[str, Any]]) -> ModelVersion | None:
    """The highest win rate among the states of a run; None where nobody has answered."""
    judged = [p for p in states if p["win_rate"] and p["win_rate"].n]
    return max(judged, key=lambda p: p["win_rate"].value)["version"] if judged else None


def trained(run: Run) -> list[dict[str, Any]]:
    """Each step's KL and how far its reward lies above that of the first; latest attempt wins."""
    metrics = (
        Metric.objects.filter(run=run, values__has_keys=["kl", "reward"])
        .order_by("step", "-attempt")
        .distinct("step")
    )
    values = [(metric.step, metric.values["kl"], metric.values["reward"]) for metric in metrics]
    return [{"step": step, "kl": kl, "proxy": reward - values[0][2]} for step, kl, reward in values]


def kl_at(steps: list[dict[str, Any]], step: int) -> float:
    """That of the last step up to `step`; 0 where none was measured."""
    return next((s["kl"] for s in reversed(steps) if s["step"] <= step), 0.0)


def mean_kl(policy: ModelVersion) -> float | None:
    met = Generation.objects.filter(version=policy, run__purpose__in=Run.MEETINGS)
    return met.aggregate(mean=Avg("kl"))["mean"]


def proxy_gain(policy: ModelVersion) -> float | None:
    """Over all prompts that the policy and the reference answered to meet."""
    if policy.reward_model is None:
        return None
    written = Generation.objects.filter(run__in=meetings.meeting_runs(policy))
    scores = Score.objects.filter(version=policy.reward_model)
    ours = scores.filter(response__in=written.filter(version=policy).values("response"))
    theirs = scores.filter(response__in=written.exclude(version=policy).values("response"))
    gain = [rows.aggregate(mean=Avg("value"))["mean"] for rows in (ours, theirs)]
    spread = policy.reward_model.metrics.get("normalisation", {}).get("spread")
    if None in gain or not spread:
        return None
    return (gain[0] - gain[1]) / spread
