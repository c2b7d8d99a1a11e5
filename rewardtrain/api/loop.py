"""A project's rules for its circle, and whether a worker can load a model that was named."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import member_of, project_for
from annotation.api.errors import ErrorSerializer
from annotation.events import record
from annotation.models import Project
from annotation.models.projects import Role
from rewardtrain import checks, rounds
from rewardtrain.models import LoopPolicy, ModelCheck, Run
from rewardtrain.options import HACKABLE, check_options

OPTIONS = {
    "reward_options": Run.Kind.REWARD,
    "policy_options": Run.Kind.POLICY,
    "generate_options": Run.Kind.GENERATE,
}


class LoopSerializer(serializers.Serializer):
    reward_backbone = serializers.CharField(
        allow_blank=True, max_length=300, help_text="Path or hub name; empty: the reference policy."
    )
    policy = serializers.CharField(
        max_length=300, allow_null=True, help_text="Source of the reference policy."
    )
    autopilot = serializers.BooleanField()
    promotion = serializers.ChoiceField(LoopPolicy.Promotion.choices)
    freeze_hours = serializers.IntegerField(allow_null=True, min_value=1, max_value=8_760)
    freeze_early = serializers.BooleanField()
    second_opinion = serializers.BooleanField()
    step_budget = serializers.IntegerField(allow_null=True, min_value=1, max_value=1_000_000)
    minute_budget = serializers.IntegerField(allow_null=True, min_value=1, max_value=100_000)
    prompts_per_round = serializers.IntegerField(min_value=1, max_value=20_000)
    selection = serializers.ChoiceField(LoopPolicy.Selection.choices)
    samples_per_prompt = serializers.IntegerField(min_value=1, max_value=16)
    arena_prompts = serializers.IntegerField(min_value=1, max_value=20_000)
    arena_checkpoints = serializers.IntegerField(min_value=0, max_value=50)
    equal_length = serializers.BooleanField()
    reward_options = serializers.DictField()
    policy_options = serializers.DictField()
    generate_options = serializers.DictField()
    policy_configuration = serializers.DictField(
        read_only=True, help_text="What a fine-tuning has that is started now, defaults included."
    )
    hackable = serializers.DictField(
        read_only=True,
        allow_null=True,
        help_text="What the demo's run with hardly any anchor changes in it; null elsewhere.",
    )


class ModelCheckSerializer(serializers.Serializer):
    id = serializers.IntegerField(read_only=True)
    source = serializers.CharField(max_length=300)  # type: ignore[assignment]
    state = serializers.ChoiceField(ModelCheck.State.choices, read_only=True)
    reason = serializers.CharField(read_only=True)


class Loop(APIView):
    @extend_schema(operation_id="loop", responses=LoopSerializer)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.REVIEWER)
        return Response(LoopSerializer(rules_shown(project)).data)

    @extend_schema(
        operation_id="change_loop",
        request=LoopSerializer,
        responses={200: LoopSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        given = LoopSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        change_rules(project, request.user, given.validated_data)
        return Response(LoopSerializer(rules_shown(project)).data)


class ModelChecks(APIView):
    @extend_schema(
        operation_id="check_model",
        request=ModelCheckSerializer,
        responses={201: ModelCheckSerializer, 400: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a worker try to load a model, before anything hangs on it."""
        project = project_for(request.user, slug, Role.MANAGER)
        given = ModelCheckSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        check = checks.request_check(
            project=project, source=given.validated_data["source"], actor=request.user
        )
        return Response(ModelCheckSerializer(check).data, status=status.HTTP_201_CREATED)


class ModelCheckDetail(APIView):
    @extend_schema(operation_id="model_check", responses=ModelCheckSerializer)
    def get(self, request: Request, pk: int) -> Response:
        check = get_object_or_404(ModelCheck.objects.select_related("project"), pk=pk)
        member_of(request.user, check.project, Role.MANAGER)
        return Response(ModelCheckSerializer(check).data)


def rules_shown(project: Project) -> dict[str, Any]:
    rules = rounds.rules_of(project)
    reference = rounds.reference_of(project)
    stored = {f.name for f in LoopPolicy._meta.fields} & LoopSerializer().fields.keys()
    return {
        **{field: getattr(rules, field) for field in stored},
        "policy": reference.source if reference else None,
        "policy_configuration": check_options(
            Run.Kind.POLICY, rules.policy_options, "policy_options"
        ),
        "hackable": HACKABLE if settings.DEMO else None,
    }


@transaction.atomic
def change_rules(project: Project, actor: Any, changes: dict[str, Any]) -> None:
    """Set what differs; options are checked as a run's would be.

    Raises:
        Refused: a model is out of reach, or an option does not fit.
    """
    policy = changes.pop("policy", None)
    if policy:
        rounds.set_reference(project=project, source=policy.strip(), actor=actor)
    if backbone := changes.get("reward_backbone", "").strip():
        rounds.refuse_unusable(project, backbone, "reward_backbone")
    for field in OPTIONS.keys() & changes.keys():
        check_options(OPTIONS[field], changes[field], field)
    rules = LoopPolicy.objects.select_for_update().get(pk=rounds.rules_of(project).pk)
    before = {field: getattr(rules, field) for field in changes}
    for field, value in changes.items():
        setattr(rules, field, value)
    rules.save()
    if before != changes:
        record(
            project=project,
            actor=actor,
            verb="changed",
            subject="loop",
            before=before,
            after=changes,
        )
