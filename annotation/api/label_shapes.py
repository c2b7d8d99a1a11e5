"""What the label page sends and receives."""

from rest_framework import serializers

from annotation.models import Preference

SPANS_MAX = 200
WRITTEN_MAX = 100_000


class MessageSerializer(serializers.Serializer):
    role = serializers.ChoiceField(["system", "user", "assistant"])
    content = serializers.CharField(allow_blank=True)


class PromptSerializer(serializers.Serializer):
    messages = MessageSerializer(many=True)


class ShownSerializer(serializers.Serializer):
    messages = MessageSerializer(many=True)


class SpanSerializer(serializers.Serializer):
    """Words of a response as shown; start and end count code points of its raw text."""

    position = serializers.IntegerField(min_value=0, max_value=8)
    message = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    start = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    end = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    quote = serializers.CharField(trim_whitespace=False)
    category = serializers.CharField()


class RewriteSerializer(serializers.Serializer):
    text = serializers.CharField(allow_blank=True, max_length=WRITTEN_MAX, trim_whitespace=False)
    active_ms = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=2**31 - 1
    )


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
    spans = serializers.ListField(
        child=SpanSerializer(), required=False, default=list, max_length=SPANS_MAX
    )
    rewrites = serializers.DictField(child=RewriteSerializer(), required=False, default=dict)
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
    mine = serializers.IntegerField()


class FinishedSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(["nothing_left", "paused", "closed", "draft"])
    next = serializers.CharField()


class AssignmentSerializer(serializers.Serializer):
    key = serializers.CharField()
    token = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    prompt = PromptSerializer()
    write_first = serializers.BooleanField(
        help_text="The responses are withheld until the labeler's own answer is stored."
    )
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
