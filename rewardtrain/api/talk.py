"""The talk page: what was said, the replies as they are written, and how it goes on.

What leaves here names no model: the replies stand in the order in which they are shown.
"""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import Visitor, member_of, project_for
from annotation.api.errors import ErrorSerializer
from annotation.api.label import (
    DRAFT_MAX,
    progress_of,
    refuse_people_among_simulated,
    shown,
)
from annotation.api.label_shapes import (
    AssignmentSerializer,
    MessageSerializer,
    ProgressSerializer,
)
from annotation.models import Assignment
from rewardtrain import talk
from rewardtrain.models import Talk, Turn

MESSAGE_MAX = 20_000
TO_BE_SEEN = (Assignment.State.LEASED, Assignment.State.ANSWERED)


class TalkSerializer(serializers.Serializer):
    class Turn(serializers.Serializer):
        number = serializers.IntegerField()
        attempt = serializers.IntegerField()
        state = serializers.ChoiceField(Turn.State.choices)
        late = serializers.BooleanField(help_text="It takes longer than it should.")
        texts = serializers.ListField(
            child=serializers.CharField(allow_blank=True),
            help_text="The replies as far as they are written, in the order shown.",
        )
        assignment = AssignmentSerializer(
            allow_null=True, help_text="The replies to compare; null while the labeler holds none."
        )
        settled = serializers.BooleanField(help_text="There is nothing left to answer.")
        reply = serializers.CharField(
            allow_null=True, allow_blank=True, help_text="On which the talk goes on."
        )

    key = serializers.CharField()
    draft = serializers.CharField(allow_blank=True)
    messages = MessageSerializer(many=True, help_text="Up to what was said last.")
    turn = Turn(allow_null=True, help_text="The replies to that; null before the first word.")
    progress = ProgressSerializer()


class Talks(APIView):
    class Input(serializers.Serializer):
        new = serializers.BooleanField(default=False)

    @extend_schema(
        operation_id="take_up_talk",
        request=Input,
        responses={200: TalkSerializer, 403: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """The labeler's talk, its last pair leased again where it was given back; or a new one."""
        project = project_for(request.user, slug)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        refuse_people_among_simulated(project)
        talk.refuse_silent(project)
        take = talk.begin if given.validated_data["new"] else talk.current
        taken = take(project.membership)
        talk.take_up(project.membership, taken)
        return Response(talk_shown(talk_for(request.user, taken.key)))


class TalkDetail(APIView):
    @extend_schema(operation_id="talk", responses=TalkSerializer)
    def get(self, request: Request, key: str) -> Response:
        return Response(talk_shown(talk_for(request.user, key)))


class TalkDraft(APIView):
    class Input(serializers.Serializer):
        draft = serializers.CharField(allow_blank=True, max_length=DRAFT_MAX, trim_whitespace=False)

    @extend_schema(operation_id="talk_draft", request=Input, responses={204: None})
    def put(self, request: Request, key: str) -> Response:
        mine = talk_for(request.user, key)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        Talk.objects.filter(pk=mine.pk).update(**given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TalkTurns(APIView):
    class Input(serializers.Serializer):
        number = serializers.IntegerField(min_value=1, help_text="Which turn it is to be.")
        message = serializers.CharField(max_length=MESSAGE_MAX, trim_whitespace=False)

    @extend_schema(
        operation_id="say",
        request=Input,
        responses={200: TalkSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Say something; the policy's replies come as they are written."""
        mine = talk_for(request.user, key)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        talk.say(mine, **given.validated_data)
        return Response(talk_shown(mine))


class TalkAgain(APIView):
    class Input(serializers.Serializer):
        number = serializers.IntegerField(min_value=1)
        attempt = serializers.IntegerField(min_value=1, help_text="The one that is given up.")

    @extend_schema(
        operation_id="reply_again",
        request=Input,
        responses={200: TalkSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Let the policy write anew: after a failure, when it is late, or when nothing was good."""
        mine = talk_for(request.user, key)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        turn = get_object_or_404(mine.turns, number=given.validated_data["number"])
        turn.talk = mine
        talk.again(turn, attempt=given.validated_data["attempt"])
        return Response(talk_shown(mine))


def talk_for(user: Visitor, key: str) -> Talk:
    """The user's own talk; anybody else's is 404."""
    mine = get_object_or_404(Talk.objects.select_related("project"), key=key, labeler=user.pk)
    mine.project.membership = member_of(user, mine.project)
    return mine


def talk_shown(mine: Talk) -> dict[str, Any]:
    turn = mine.turns.select_related("prompt", "reply").order_by("-number").first()
    return {
        "key": mine.key,
        "draft": Talk.objects.values_list("draft", flat=True).get(pk=mine.pk),
        "messages": turn.prompt.messages if turn else [],
        "turn": turn_shown(turn, mine) if turn else None,
        "progress": progress_of(mine.project, mine.project.membership),
    }


def turn_shown(turn: Turn, mine: Talk) -> dict[str, Any]:
    turn.talk = mine
    pair = talk.pair_of(turn)
    reply = talk.reply_of(turn)
    return {
        "number": turn.number,
        "attempt": turn.attempt,
        "state": turn.state,
        "late": talk.is_late(turn),
        "texts": turn.texts,
        "assignment": shown([pair], mine.project)[0] if pair and pair.state in TO_BE_SEEN else None,
        "settled": turn.state == Turn.State.READY and talk.is_settled(turn),
        "reply": reply.messages[-1]["content"] if reply else None,
    }
