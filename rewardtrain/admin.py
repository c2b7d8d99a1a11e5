"""The tables of models in the admin. Their rows are the product's to write: runs have a state
machine and versions a lineage, so all but a project's loop policy are for reading."""

from django.contrib import admin

from annotation.admin.kinds import Editable, Readable
from rewardtrain.models import (
    Decision,
    Generation,
    LoopPolicy,
    Match,
    Metric,
    ModelCheck,
    ModelVersion,
    Round,
    Run,
    Score,
    Scoring,
    Suspect,
    Talk,
    Turn,
)


@admin.register(LoopPolicy)
class LoopPolicyAdmin(Editable):
    list_display = ["project", "reward_backbone", "autopilot", "prompts_per_round"]
    list_filter = ["autopilot"]
    search_fields = ["project__name", "project__slug", "reward_backbone"]
    list_select_related = ["project"]
    raw_id_fields = ["project"]


@admin.register(Run)
class RunAdmin(Readable):
    list_display = ["id", "project", "kind", "purpose", "state", "step", "steps", "attempt"]
    list_filter = ["state", "kind", "purpose", "project"]
    search_fields = ["project__name", "project__slug", "worker", "error"]
    list_select_related = ["project"]


@admin.register(Metric)
class MetricAdmin(Readable):
    list_display = ["run", "attempt", "step", "time"]
    list_filter = ["run__kind", "run__project"]
    search_fields = ["=run__id"]
    list_select_related = ["run"]


@admin.register(ModelVersion)
class ModelVersionAdmin(Readable):
    list_display = ["id", "project", "kind", "number", "stage", "is_reference", "tainted"]
    list_filter = ["kind", "stage", "is_reference", "tainted", "project"]
    search_fields = ["source", "weights_sha256", "project__name", "project__slug"]
    list_select_related = ["project"]


@admin.register(Generation)
class GenerationAdmin(Readable):
    list_display = ["response", "version", "run", "turn", "logprob", "kl", "tokens", "truncated"]
    list_filter = ["truncated", "version__project"]
    search_fields = ["response__messages", "=run__id"]
    list_select_related = ["response", "version", "run", "turn__talk__labeler"]


@admin.register(Score)
class ScoreAdmin(Readable):
    list_display = ["response", "version", "head", "value", "created_at"]
    list_filter = ["head", "version__project"]
    search_fields = ["response__messages"]
    list_select_related = ["response", "version"]


@admin.register(Scoring)
class ScoringAdmin(Readable):
    list_display = ["version", "state", "error", "requested_by", "asked_at"]
    list_filter = ["state", "version__project"]
    search_fields = ["messages", "responses", "requested_by__username"]
    list_select_related = ["version", "requested_by"]


@admin.register(Match)
class MatchAdmin(Readable):
    list_display = ["prompt", "policy", "opponent", "run", "comparison"]
    list_filter = ["run__project"]
    search_fields = ["prompt__messages", "=run__id"]
    list_select_related = ["prompt", "policy", "opponent", "run", "comparison__prompt"]


@admin.register(Suspect)
class SuspectAdmin(Readable):
    list_display = ["prompt", "run", "step", "why", "kl", "comparison"]
    list_filter = ["why", "run__project"]
    search_fields = ["prompt__messages", "=run__id"]
    list_select_related = ["prompt", "run", "comparison__prompt"]


@admin.register(Round)
class RoundAdmin(Readable):
    list_display = ["project", "number", "started_at", "finished_at"]
    list_filter = ["project"]
    search_fields = ["project__name", "project__slug"]
    list_select_related = ["project"]


@admin.register(Decision)
class DecisionAdmin(Readable):
    list_display = ["created_at", "project", "what", "reason", "actor"]
    list_filter = ["what", "project"]
    search_fields = ["what", "reason", "actor__username", "project__slug"]
    list_select_related = ["project", "actor"]


@admin.register(ModelCheck)
class ModelCheckAdmin(Readable):
    list_display = ["source", "state", "reason", "project", "requested_by", "created_at"]
    list_filter = ["state", "project"]
    search_fields = ["source", "reason", "requested_by__username"]
    list_select_related = ["project", "requested_by"]


@admin.register(Talk)
class TalkAdmin(Readable):
    list_display = ["id", "project", "labeler", "created_at"]
    list_filter = ["project"]
    search_fields = ["project__name", "project__slug", "labeler__username"]
    list_select_related = ["project", "labeler"]


@admin.register(Turn)
class TurnAdmin(Readable):
    list_display = ["talk", "number", "state", "attempt", "policy", "error"]
    list_filter = ["state", "talk__project"]
    search_fields = ["prompt__messages", "talk__labeler__username", "error"]
    list_select_related = ["talk__project", "talk__labeler", "policy"]
