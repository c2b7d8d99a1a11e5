"""Runs: what is at work, its curves, log and samples as they grow; start, cancel, try again."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import member_of, project_for
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import BEFORE, list_of, page, page_of
from annotation.models import Project
from annotation.models.projects import Role
from annotation.refused import Refused
from rewardtrain import contract, ingest, launch, loop, meetings, start
from rewardtrain.api.rows import RunSerializer, runs_of
from rewardtrain.launch import run_dir
from rewardtrain.lineage import ancestors, batch_links, run_link, version_link
from rewardtrain.models import Metric, ModelVersion, Run

LOG_BYTES = 64 * 1024
SAMPLES_A_LOOK = 200
AFTER = OpenApiParameter("after", int, description="Only what comes after this one.")


class LinkSerializer(serializers.Serializer):
    type = serializers.ChoiceField(
        ["policy", "run", "reward_model", "batch", "preferences", "labelers"]
    )
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    href = serializers.CharField()


class GuardSerializer(serializers.Serializer):
    """What a fine-tuning's guard watches, and why it stopped the run if it did."""

    class Level(serializers.Serializer):
        null = serializers.FloatField(help_text="Mean of the reference's samples.")
        warning = serializers.ListField(child=serializers.FloatField(allow_null=True))
        stop = serializers.ListField(child=serializers.FloatField(allow_null=True))

    class Stop(serializers.Serializer):
        class Sample(serializers.Serializer):
            prompt = serializers.CharField()
            text = serializers.CharField()
            tokens = serializers.IntegerField()
            truncated = serializers.BooleanField()
            reward = serializers.FloatField()
            kl = serializers.FloatField()
            repetition = serializers.FloatField()

        step = serializers.IntegerField()
        since = serializers.IntegerField(help_text="The step at which its warnings began.")
        sentence = serializers.CharField()
        signals = serializers.ListField(child=serializers.CharField())
        samples = Sample(many=True)

    standing = serializers.ChoiceField(["quiet", "warning", "stopped"])
    levels = serializers.DictField(child=Level(), help_text="By signal, each low and high.")
    stop = Stop(allow_null=True)
    kept = serializers.IntegerField(
        allow_null=True, help_text="The step whose checkpoint the run left; null until then."
    )


class RunDetailSerializer(RunSerializer):
    configuration = serializers.DictField()
    report = serializers.DictField(allow_null=True)
    kl = serializers.FloatField(allow_null=True, help_text="To the reference, in nats.")
    lineage = LinkSerializer(many=True)
    guard = GuardSerializer(allow_null=True)


class NewRunSerializer(serializers.Serializer):
    kind = serializers.ChoiceField([Run.Kind.REWARD, Run.Kind.POLICY, Run.Kind.GENERATE])
    purpose = serializers.ChoiceField(
        Run.Purpose.choices,
        required=False,
        default=Run.Purpose.ASK,
        help_text="Of a generate run: ask, or arena for the newest policy against the reference.",
    )
    options = serializers.DictField(required=False, default=dict)
    hackable = serializers.BooleanField(required=False, default=False)
    prompts = serializers.IntegerField(required=False, min_value=1, max_value=20_000)


class MetricSerializer(serializers.Serializer):
    step = serializers.IntegerField()
    time = serializers.DateTimeField()
    values = serializers.DictField(child=serializers.FloatField())


class MetricsSerializer(serializers.Serializer):
    attempt = serializers.IntegerField()
    results = MetricSerializer(many=True)


class SampleSerializer(serializers.Serializer):
    place = serializers.IntegerField(help_text="In samples.jsonl, from 1; after= takes it.")
    prompt = serializers.CharField(help_text="The prompt's last turn.")
    text = serializers.CharField()
    tokens = serializers.IntegerField()
    truncated = serializers.BooleanField()
    kl = serializers.FloatField(allow_null=True)
    reward = serializers.FloatField(allow_null=True)
    step = serializers.IntegerField(allow_null=True)
    by_reference = serializers.BooleanField()


class Runs(APIView):
    @extend_schema(operation_id="runs", parameters=[BEFORE], responses=page_of(RunSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        found, following = page(runs_of(project), request)
        return Response({"results": RunSerializer(found, many=True).data, "next": following})

    @extend_schema(
        operation_id="start_run",
        request=NewRunSerializer,
        responses={201: RunSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        given = NewRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        run = start_run(project, request, **given.validated_data)
        return Response(RunSerializer(run).data, status=status.HTTP_201_CREATED)


class RunDetail(APIView):
    @extend_schema(operation_id="run", responses=RunDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        run = run_for(request, pk)
        return Response(detail(run))


class RunMetrics(APIView):
    @extend_schema(operation_id="run_metrics", parameters=[AFTER], responses=MetricsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One line a step, the latest attempt's."""
        run = run_for(request, pk)
        rows = (
            Metric.objects.filter(run=run, step__gt=after(request, -1))
            .order_by("step", "-attempt")
            .distinct("step")
        )
        return Response(MetricsSerializer({"attempt": run.attempt, "results": rows}).data)


class RunLog(APIView):
    @extend_schema(
        operation_id="run_log",
        responses=inline_serializer("RunLog", {"text": serializers.CharField()}),
    )
    def get(self, request: Request, pk: int) -> Response:
        """The last 64 KB of what the script printed."""
        path = run_dir(run_for(request, pk)) / contract.LOG
        if not path.is_file():
            return Response({"text": ""})
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_BYTES))
            return Response({"text": log.read().decode(errors="replace")})


class RunSamples(APIView):
    @extend_schema(
        operation_id="run_samples", parameters=[AFTER], responses=list_of(SampleSerializer)
    )
    def get(self, request: Request, pk: int) -> Response:
        """What the policy wrote, up to 200 at a time."""
        run = run_for(request, pk)
        return Response({"results": samples(run, after(request, 0))})


class CancelRun(APIView):
    @extend_schema(
        operation_id="cancel_run",
        request=None,
        responses={200: RunSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        run = run_for(request, pk, Role.MANAGER)
        return Response(RunSerializer(start.cancel(run, actor=request.user)).data)


class RetryRun(APIView):
    @extend_schema(
        operation_id="retry_run",
        request=None,
        responses={200: RunSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        run = run_for(request, pk, Role.MANAGER)
        return Response(RunSerializer(start.retry(run, actor=request.user)).data)


def run_for(request: Request, pk: int, role: str = Role.REVIEWER) -> Run:
    run = get_object_or_404(Run.objects.select_related("project"), pk=pk)
    member_of(request.user, run.project, role)
    return run


def start_run(
    project: Project,
    request: Request,
    *,
    kind: str,
    purpose: str,
    options: dict[str, Any],
    hackable: bool,
    prompts: int | None = None,
) -> Run:
    if kind == Run.Kind.REWARD:
        return start.start_reward(project, actor=request.user)
    if kind == Run.Kind.POLICY:
        return start.start_policy(project, actor=request.user, options=options, hackable=hackable)
    if purpose == Run.Purpose.ARENA:
        return start.start_arena(project, arena_policy(project), actor=request.user)
    return loop.ask_again(project, actor=request.user, prompts=prompts)


def arena_policy(project: Project) -> ModelVersion:
    """The newest policy that was fine-tuned, in the state that leads among its checkpoints."""
    policies = project.versions.filter(
        kind=ModelVersion.Kind.POLICY, is_reference=False, checkpoint_of=None
    )
    policy = policies.order_by("-number").first()
    if policy is None:
        raise Refused(
            "no_candidate",
            "No policy has been fine-tuned yet, so none can meet the reference.",
            fix="Fine-tune one first.",
            status_code=409,
        )
    return meetings.to_judge(policy) or policy


def detail(run: Run) -> dict[str, Any]:
    run.lineage = lineage(run)  # type: ignore[attr-defined]
    run.kl = kl_of(run)  # type: ignore[attr-defined]
    run.guard = launch.read_guard(run)  # type: ignore[attr-defined]
    return RunDetailSerializer(run).data


def lineage(run: Run) -> list[Any]:
    """What the run left, then what it was made from."""
    left = ModelVersion.objects.filter(run=run).first()
    if left is not None:
        return [version_link(left), *(a for a in ancestors(left) if a != run_link(run))]
    parents = [v for v in (run.policy, run.reference, run.reward_model) if v is not None]
    links = {version_link(parent): None for parent in parents}
    if run.batch is not None:
        links |= dict.fromkeys(batch_links(run.batch))
    return list(links)


def kl_of(run: Run) -> float | None:
    """The last one measured while it trained, or the mean over what it wrote."""
    last = Metric.objects.filter(run=run, values__has_key="kl").order_by("-attempt", "-step")
    if metric := last.first():
        return metric.values["kl"]
    return ((run.report or {}).get("kl") or {}).get("mean")


def samples(run: Run, start_after: int) -> list[dict[str, Any]]:
    lines, _ = ingest.whole_lines(run_dir(run) / contract.SAMPLES, 0)
    chosen = list(enumerate(lines, 1))[start_after : start_after + SAMPLES_A_LOOK]
    rows, _ = ingest.whole_lines(run_dir(run) / contract.DATA, 0)
    shown = ("text", "tokens", "truncated", "kl", "reward", "step", "by_reference")
    return [
        {
            "place": place,
            "prompt": rows[line["prompt"]]["messages"][-1]["content"],
            **{name: line[name] for name in shown},
        }
        for place, line in chosen
    ]


def after(request: Request, default: int) -> int:
    given = request.query_params.get("after")
    if given is None:
        return default
    if not given.lstrip("-").isdecimal() or len(given) > 12:
        raise Refused(
            "invalid",
            f"after is {given[:40]!r}: it must be a whole number.",
            field="after",
            fix="Leave it out to start from the beginning.",
        )
    return int(given)
