"""The label page: lease, show, answer, undo.

What a labeler sees of an assignment is made in shown.py.
"""

from dataclasses import asdict
from typing import Any

from django.db import DataError, transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import preferences, queue
from annotation.access import assignment_for, assignment_to_lock, project_for
from annotation.api.errors import ErrorSerializer, Refused
from annotation.api.label_shapes import (
    AnswerSerializer,
    AssignmentSerializer,
    ProgressSerializer,
    ReceiptSerializer,
    ServedSerializer,
)
from annotation.api.shown import shown
from annotation.batches import progress
from annotation.forms import Answer, InvalidAnswer
from annotation.models import (
    Assignment,
    Membership,
    Preference,
    Project,
)

SKIP_REASONS = ["unclear", "offensive", "too_long", "language", "broken", "other"]
PREFETCH = 3
ANSWERS_PAGE = 50
DRAFT_MAX = 200_000


class Assignments(APIView):
    class Input(serializers.Serializer):
        want = serializers.IntegerField(min_value=1, max_value=PREFETCH, default=1)

    @extend_schema(operation_id="lease", request=Input, responses=ServedSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """The comparisons this labeler holds and, as far as `want` goes, new ones."""
        project = project_for(request.user, slug)
        want = _valid(self.Input, request)["want"]
        refuse_people_among_simulated(project)
        held = queue.lease(project.membership, want) if project.is_open else []
        progress = progress_of(project, project.membership)
        over = (
            None
            if held
            else asdict(queue.finished(project, progress["freeze_after"] - progress["labels"]))
        )
        return Response(
            {"assignments": shown(held, project), "progress": progress, "finished": over}
        )


class AssignmentDetail(APIView):
    @extend_schema(operation_id="assignment", responses=AssignmentSerializer)
    def get(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        return Response(shown([assignment], assignment.comparison.project)[0])


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
        assignment = assignment_to_lock(request.user, key)
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
        assignment = assignment_to_lock(request.user, key)
        queue.release(assignment, _valid(self.Input, request)["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class Skip(APIView):
    class Input(serializers.Serializer):
        token = serializers.UUIDField()
        reason = serializers.ChoiceField(SKIP_REASONS)
        note = serializers.CharField(allow_blank=True, default="", max_length=2000)

    @extend_schema(operation_id="skip", request=Input, responses={204: None, 409: ErrorSerializer})
    def post(self, request: Request, key: str) -> Response:
        assignment = assignment_to_lock(request.user, key)
        asked = _valid(self.Input, request)
        try:
            queue.skip(assignment, asked["token"], reason=asked["reason"], note=asked["note"])
        except queue.LeaseLost:
            raise _lease_lost() from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class Resume(APIView):
    @extend_schema(
        operation_id="resume",
        request=None,
        responses={200: AssignmentSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Take a skip back; what was written is in the draft."""
        assignment = assignment_for(request.user, key)
        try:
            assignment = queue.resume(assignment)
        except queue.LeaseLost:
            raise _lease_lost() from None
        return Response(shown([assignment], assignment.comparison.project)[0])


class Draft(APIView):
    class Input(serializers.Serializer):
        draft = serializers.DictField()

    @extend_schema(operation_id="draft", request=Input, responses={204: None})
    def put(self, request: Request, key: str) -> Response:
        assignment = assignment_for(request.user, key)
        draft = _valid(self.Input, request)["draft"]
        if len(str(draft)) > DRAFT_MAX:
            raise _draft_refused(f"is over {DRAFT_MAX:,} characters", "Shorten it.")
        try:
            with transaction.atomic():
                Assignment.objects.filter(pk=assignment.pk).update(draft=draft)
        except (DataError, UnicodeEncodeError):
            raise _draft_refused(
                "holds a character that cannot be stored: NUL, or half of a surrogate pair",
                "Remove it.",
            ) from None
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
        assignment = assignment_to_lock(request.user, key)
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
        except preferences.NotSeen:
            raise Refused(
                "write_first",
                "The responses of this comparison are withheld until you have written your own.",
                fix="Write your answer first; then choose.",
                status_code=409,
            ) from None
        return _receipt(receipt)


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
        response = _receipt(receipt)
        again = assignment_for(request.user, key)
        response.data["assignment"] = shown([again], again.comparison.project)[0]
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
        next = serializers.DateTimeField(allow_null=True)

    class Query(serializers.Serializer):
        before = serializers.DateTimeField(required=False, help_text="The next of a page.")

    @extend_schema(operation_id="answers", parameters=[Query], responses=Output)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        query = self.Query(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = Preference.objects.filter(
            project=project,
            labeler_id=request.user.pk,
            assignment__isnull=False,
            superseded_by__isnull=True,
            retracted=False,
        ).select_related("assignment", "comparison__prompt", "guidelines")
        rows = rows.prefetch_related("rewrites")
        if before := query.validated_data.get("before"):
            rows = rows.filter(created_at__lt=before)
        page = list(rows.order_by("-created_at")[:ANSWERS_PAGE])
        return Response(
            {
                "results": [
                    {
                        "key": row.assignment.key,  # type: ignore[union-attr]
                        "answer": asdict(preferences.as_answer(row)),
                        "revision": row.revision,
                        "answered_at": row.created_at,
                        "prompt_excerpt": row.comparison.prompt.messages[-1]["content"][:120],
                    }
                    for row in page
                ],
                "next": page[-1].created_at if len(page) == ANSWERS_PAGE else None,
            }
        )


class Progress(APIView):
    class Output(ProgressSerializer):
        state = serializers.CharField()

    @extend_schema(operation_id="progress", responses=Output)
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug)
        return Response(progress_of(project, project.membership) | {"state": project.state})


def _valid(serializer: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def progress_of(project: Project, membership: Membership) -> dict[str, int]:
    today = membership.answers_day == timezone.now().date()
    labels, wanted = progress(project)
    return {
        "labels": labels,
        "freeze_after": wanted,
        "mine_today": membership.answers_today if today else 0,
        "mine": membership.answers,
    }


def _receipt(receipt: preferences.Receipt) -> Response:
    membership = receipt.membership
    return Response(
        {
            "key": receipt.assignment.key,
            "counted": receipt.counted,
            "revision": receipt.preference.revision,
            "progress": progress_of(membership.project, membership),
        },
        status=status.HTTP_200_OK if receipt.replayed else status.HTTP_201_CREATED,
    )


def refuse_people_among_simulated(project: Project) -> None:
    if project.simulated and not project.membership.simulated:
        raise Refused(
            "simulated",
            "Simulated labelers answer in this project, and their labels never mix with people's.",
            fix="Label in a project that is not simulated.",
            status_code=403,
        )


def _draft_refused(why: str, fix: str) -> Refused:
    message = f"The draft {why}; the last one that fitted is kept."
    return Refused("invalid", message, field="draft", fix=fix)


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
