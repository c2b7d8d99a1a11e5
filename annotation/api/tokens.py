"""Keys by which a person's programs act for them. A key cannot make or keep keys itself."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.pages import list_of
from annotation.models import ApiToken


class TokenSerializer(serializers.Serializer):
    key = serializers.CharField(source="token_key", help_text="The first characters of the token.")
    name = serializers.CharField()
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField(allow_null=True)


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once: only its hash is stored.")


class TokenNameSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class Tokens(APIView):
    authentication_classes = [SessionAuthentication]

    @extend_schema(operation_id="tokens", responses=list_of(TokenSerializer))
    def get(self, request: Request) -> Response:
        mine = ApiToken.objects.filter(user=request.user).order_by("-created")
        return Response({"results": TokenSerializer(mine, many=True).data})

    @extend_schema(
        operation_id="make_token",
        request=TokenNameSerializer,
        responses={201: NewTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        given = TokenNameSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row, token = ApiToken.objects.create(user=request.user, name=given.validated_data["name"])
        body = TokenSerializer(row).data | {"token": token}
        return Response(body, status=status.HTTP_201_CREATED)


class TokenDetail(APIView):
    authentication_classes = [SessionAuthentication]

    @extend_schema(operation_id="delete_token", responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        deleted, _ = ApiToken.objects.filter(user=request.user, token_key=key).delete()
        if not deleted:
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)
