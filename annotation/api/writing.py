"""A labeler's own answer, written before the responses are shown."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import demonstrations
from annotation.access import assignment_for
from annotation.api.errors import ErrorSerializer, Refused
from annotation.api.label_shapes import WRITTEN_MAX, AssignmentSerializer
from annotation.api.shown import shown


class Demonstration(APIView):
    class Input(serializers.Serializer):
        text = serializers.CharField(max_length=WRITTEN_MAX, trim_whitespace=False)
        active_ms = serializers.IntegerField(
            required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1
        )

        def validate_text(self, text: str) -> str:
            if not text.strip():
                raise serializers.ValidationError("text is blank; write an answer.")
            return text

    @extend_schema(
        operation_id="write",
        request=Input,
        responses={201: AssignmentSerializer, 200: AssignmentSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Store it; what comes back holds the responses that were withheld till then."""
        assignment = assignment_for(request.user, key)
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            fresh = demonstrations.write(assignment=assignment, **given.validated_data)
        except demonstrations.NotAsked:
            raise Refused(
                "not_asked",
                "The responses of this comparison are not withheld. What you wrote stays here.",
                fix="Choose between the responses.",
                status_code=409,
            ) from None
        return Response(
            shown([assignment], assignment.comparison.project)[0],
            status=status.HTTP_201_CREATED if fresh else status.HTTP_200_OK,
        )
