"""The label page: lease, show, answer, undo.

What leaves here is the same for every kind of comparison: opaque keys, texts in the order shown,
nothing of ids, kinds, sources or times of making.
"""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import preferences, queue
from annotation.access import assignment_for, project_for
from annotation.api.errors import ErrorSerializer, Refused
from annotation.batches import fresh_count
from annotation.forms import Answer, InvalidAnswer
from annotation.models import Assignment, Guidelines, Preference, Project

SKIP_REASONS = ["unclear", "offensive", "too_long", "language", "broken", "other"]
PREFETCH = 3


class MessageSerializer(serializers.Serializer):
    role = serializers.ChoiceField(["system", "user", "assistant"])
    content = serializers.CharField(allow_blank=True)


class PromptSerializer(serializers.Serializer):
    messages = MessageSerializer(many=True)


class ShownSerializer(serializers.Serializer):
    messages = MessageSerializer(many=True)


class AnswerSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(Preference.Outcome.choices)
    tiers = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=8))
    )
    strength = serializers.IntegerField(required=False, allow_null=True, default=None)
    flags = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, default=dict
    )
    ratings = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()), required=False, default=dict
    )
    rationale = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=20_000, trim_whitespace=False
    )
    active_ms = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1
    )
    guidelines_version = serializers.IntegerField(required=False, allow_null=True, default=None)


class ProgressSerializer(serializers.Serializer):
    labels = serializers.IntegerField()
    freeze_after = serializers.IntegerField()
    mine_today = serializers.IntegerField()


class FinishedSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(["nothing_left", "paused", "closed", "draft"])
    next = serializers.CharField()


class AssignmentSerializer(serializers.Serializer):
    key = serializers.CharField()
    token = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    prompt = PromptSerializer()
    responses = ShownSerializer(many=True)
    draft = serializers.JSONField(allow_null=True)
    guidelines_version = serializers.IntegerField(allow_null=True)
    answer = AnswerSerializer(allow_null=True)


class ServedSerializer(serializers.Serializer):
    assignments = AssignmentSerializer(many=True)
    progress = ProgressSerializer()
    finished = FinishedSerializer(allow_null=True)


class ReceiptSerializer(serializers.Serializer):
    key = serializers.CharField()
    counted = serializers.BooleanField()
    revision = serializers.IntegerField()
    progress = ProgressSerializer()


class Assignments(APIView):
    class Input(serializers.Serializer):
        want = serializers.IntegerField(min_value=1, max_value=PREFETCH, default=1)

    @extend_schema(operation_id="lease", request=Input, responses=ServedSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """The comparisons this labeler holds and, as far as `want` goes, new ones."""
        project = project_for(request.user, slug)
        want = _valid(self.Input, request)["want"]
        _refuse_people_among_simulated(project)
        held = queue.lease(project.membership, want) if project.is_open else []
        progress = _progress(project, request.user)
        over = None if held else asdict(queue.finished(project, progress["labels"]))
        return Response(
            {"assignments": _shown(held, project), "progress": progress, "finished": over}
        )


class AssignmentDetail(APIView):
    @extend_schema(operation_id="assignment", responses=AssignmentSerializer)
    def get(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        return Response(_shown([assignment], assignment.comparison.project)[0])


class Renew(APIView):
    class Input(serializers.Serializer):
        token = serializers.UUIDField()
        shown = serializers.BooleanField(default=True)

    class Output(serializers.Serializer):
        token = serializers.UUIDField()
        expires_at = serializers.DateTimeField()

    @extend_schema(
        operation_id="renew", request=Input, responses={200: Output, 409: ErrorSerializer}
    )
    def post(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        asked = _valid(self.Input, request)
        try:
            assignment = queue.renew(assignment, asked["token"], shown=asked["shown"])
        except queue.LeaseLost:
            raise _lease_lost() from None
        return Response({"token": assignment.token, "expires_at": assignment.expires_at})


class Release(APIView):
    class Input(serializers.Serializer):
        token = serializers.UUIDField()

    @extend_schema(operation_id="release", request=Input, responses={204: None})
    def post(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        queue.release(assignment, _valid(self.Input, request)["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class Skip(APIView):
    class Input(serializers.Serializer):
        token = serializers.UUIDField()
        reason = serializers.ChoiceField(SKIP_REASONS)
        note = serializers.CharField(allow_blank=True, default="", max_length=2000)

    @extend_schema(operation_id="skip", request=Input, responses={204: None, 409: ErrorSerializer})
    def post(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        asked = _valid(self.Input, request)
        try:
            queue.skip(assignment, asked["token"], reason=asked["reason"], note=asked["note"])
        except queue.LeaseLost:
            raise _lease_lost() from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class Draft(APIView):
    class Input(serializers.Serializer):
        draft = serializers.DictField()

    @extend_schema(operation_id="draft", request=Input, responses={204: None})
    def put(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        draft = _valid(self.Input, request)["draft"]
        if len(str(draft)) > 200_000:
            raise Refused(
                "too_long",
                "The draft is over 200,000 characters; the last one that fitted is kept.",
                field="draft",
                fix="Shorten it.",
            )
        Assignment.objects.filter(pk=assignment.pk).update(draft=draft)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SubmitPreference(APIView):
    class Input(AnswerSerializer):
        token = serializers.UUIDField()
        idempotency_key = serializers.UUIDField()

    @extend_schema(
        operation_id="submit",
        request=Input,
        responses={201: ReceiptSerializer, 200: ReceiptSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Acknowledged (201, or 200 when it was stored before) only after the commit."""
        assignment = assignment_for(request.user, key)
        values = _valid(self.Input, request)
        values.pop("token")
        idempotency_key = values.pop("idempotency_key")
        try:
            receipt = preferences.submit(
                assignment=assignment, answer=Answer(**values), idempotency_key=idempotency_key
            )
        except InvalidAnswer as error:
            raise Refused("invalid", str(error), field=error.field) from None
        except preferences.IdempotencyConflict:
            raise _idempotency_conflict() from None
        return _receipt(receipt, assignment, request)


class Retract(APIView):
    class Input(serializers.Serializer):
        idempotency_key = serializers.UUIDField()

    class Output(ReceiptSerializer):
        assignment = AssignmentSerializer()

    @extend_schema(
        operation_id="retract",
        request=Input,
        responses={201: Output, 200: Output, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        try:
            receipt = preferences.retract(
                assignment=assignment,
                idempotency_key=_valid(self.Input, request)["idempotency_key"],
            )
        except preferences.IdempotencyConflict:
            raise _idempotency_conflict() from None
        except preferences.NothingToRetract:
            raise Refused(
                "nothing_to_retract", "This comparison has no answer to undo.", status_code=409
            ) from None
        response = _receipt(receipt, assignment, request)
        again = assignment_for(request.user, key)
        response.data["assignment"] = _shown([again], again.comparison.project)[0]
        return response


class Answers(APIView):
    """A labeler's own answers, newest first."""

    class Output(serializers.Serializer):
        class Row(serializers.Serializer):
            key = serializers.CharField()
            answer = AnswerSerializer()
            revision = serializers.IntegerField()
            answered_at = serializers.DateTimeField()
            prompt_excerpt = serializers.CharField()

        results = Row(many=True)
        next = serializers.IntegerField(allow_null=True)

    @extend_schema(operation_id="answers", responses=Output)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        rows = Preference.objects.filter(
            project=project, labeler_id=request.user.pk, superseded_by__isnull=True, retracted=False
        ).exclude(assignment=None)
        before = request.query_params.get("before", "")
        if before.isdigit():
            rows = rows.filter(pk__lt=int(before))
        page = list(rows.select_related("assignment", "comparison__prompt").order_by("-pk")[:50])
        return Response(
            {
                "results": [
                    {
                        "key": row.assignment.key,
                        "answer": asdict(preferences.as_answer(row)),
                        "revision": row.revision,
                        "answered_at": row.created_at,
                        "prompt_excerpt": row.comparison.prompt.messages[-1]["content"][:120],
                    }
                    for row in page
                ],
                "next": page[-1].pk if len(page) == 50 else None,
            }
        )


class Progress(APIView):
    class Output(ProgressSerializer):
        state = serializers.CharField()

    @extend_schema(operation_id="progress", responses=Output)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        return Response(_progress(project, request.user) | {"state": project.state})


def _valid(serializer: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _shown(assignments: list[Assignment], project: Project) -> list[dict[str, Any]]:
    keys = [assignment.pk for assignment in assignments]
    rows = Assignment.objects.select_related("comparison__prompt").prefetch_related(
        "comparison__places__response"
    )
    by_key = rows.in_bulk(keys)
    version = (
        Guidelines.objects.filter(project=project)
        .order_by("-version")
        .values_list("version", flat=True)
        .first()
    )
    return [_one_shown(by_key[key], version) for key in keys]


def _one_shown(assignment: Assignment, guidelines_version: int | None) -> dict[str, Any]:
    places = {place.place: place.response for place in assignment.comparison.places.all()}
    answer = preferences.standing_answer(assignment)
    return {
        "key": assignment.key,
        "token": assignment.token,
        "expires_at": assignment.expires_at,
        "prompt": {"messages": assignment.comparison.prompt.messages},
        "responses": [{"messages": places[place].messages} for place in assignment.order],
        "draft": assignment.draft,
        "guidelines_version": guidelines_version,
        "answer": asdict(answer) if answer else None,
    }


def _progress(project: Project, user: Any) -> dict[str, int]:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Preference.objects.filter(
        project=project,
        labeler_id=user.pk,
        created_at__gte=midnight,
        superseded_by__isnull=True,
        retracted=False,
    )
    return {
        "labels": fresh_count(project),
        "freeze_after": project.freeze_after,
        "mine_today": today.count(),
    }


def _receipt(receipt: preferences.Receipt, assignment: Assignment, request: Request) -> Response:
    return Response(
        {
            "key": assignment.key,
            "counted": receipt.counted,
            "revision": receipt.preference.revision,
            "progress": _progress(assignment.comparison.project, request.user),
        },
        status=status.HTTP_200_OK if receipt.replayed else status.HTTP_201_CREATED,
    )


def _refuse_people_among_simulated(project: Project) -> None:
    if project.simulated and not project.membership.simulated:
        raise Refused(
            "simulated",
            "Simulated labelers answer in this project, and their labels never mix with people's.",
            fix="Label in a project that is not simulated.",
            status_code=403,
        )


def _lease_lost() -> Refused:
    return Refused(
        "lease_lost",
        "This comparison is held by somebody else now. What you wrote is kept, and an answer you "
        "send is kept too.",
        fix="Go on with the next one.",
        status_code=409,
    )


def _idempotency_conflict() -> Refused:
    return Refused(
        "idempotency_conflict",
        "This key came before with another answer, which is kept unchanged.",
        field="idempotency_key",
        fix="Send the new answer with a new key.",
        status_code=409,
    )
