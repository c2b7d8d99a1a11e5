"""Signing in and out, and passwords."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from annotation import accounts
from annotation.api.errors import ErrorSerializer
from annotation.models import OwnKeys
from annotation.refused import Refused
from annotation.sso import sign_in_choices

KEYS_MAX, KEY_MAX, ACTION_MAX = 200, 20, 40
ACTION = re.compile(rf"(?=.{{1,{ACTION_MAX}}}$)[a-z_]+(:[0-9]+)*")


class PersonSerializer(serializers.Serializer):
    username = serializers.CharField()
    name = serializers.CharField()
    can_create_projects = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    keys = serializers.DictField(
        child=serializers.CharField(), help_text="Keys of their own, by action."
    )


class DemoAccountSerializer(serializers.Serializer):
    username = serializers.CharField()
    password = serializers.CharField()
    role = serializers.CharField()


class SignInChoiceSerializer(serializers.Serializer):
    name = serializers.CharField()
    url = serializers.CharField()


class SessionSerializer(serializers.Serializer):
    user = PersonSerializer(allow_null=True)
    demo = serializers.BooleanField()
    demo_accounts = DemoAccountSerializer(many=True)
    mail = serializers.BooleanField()
    sso = SignInChoiceSerializer(many=True)


class SignInSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class NewPasswordSerializer(serializers.Serializer):
    old_password = serializers.CharField(max_length=1000, trim_whitespace=False)
    new_password = serializers.CharField(max_length=1000, trim_whitespace=False)


class KeysSerializer(serializers.Serializer):
    keys = serializers.DictField(
        child=serializers.CharField(max_length=KEY_MAX, trim_whitespace=False),
        help_text="A key for each action that has another than its first one; replaces all.",
    )

    def validate_keys(self, keys: dict[str, str]) -> dict[str, str]:
        if len(keys) > KEYS_MAX:
            raise serializers.ValidationError(f"{len(keys)} keys are given; {KEYS_MAX} may be.")
        for action in keys:
            if not ACTION.fullmatch(action):
                raise serializers.ValidationError(f"{action[:ACTION_MAX]!r} is no action.")
        return keys


class ResetSerializer(serializers.Serializer):
    email = serializers.EmailField()


class ResetConfirmSerializer(serializers.Serializer):
    uid = serializers.CharField(max_length=40)
    token = serializers.CharField(max_length=100)
    new_password = serializers.CharField(max_length=1000, trim_whitespace=False)


@method_decorator(ensure_csrf_cookie, "dispatch")
class Session(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="session", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in, and what the sign-in page offers."""
        return Response(session_of(request.user))

    @extend_schema(
        operation_id="sign_in",
        request=SignInSerializer,
        responses={200: SessionSerializer, 400: ErrorSerializer, 429: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        refuse_forgery(request)
        given = SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            raise Refused(
                "wrong_password",
                "This name and password do not fit together.",
                field="password",
                fix="Try again, or ask a manager for a reset link.",
            )
        login(request._request, user)
        return Response(session_of(user))

    @extend_schema(operation_id="sign_out", responses={204: None})
    def delete(self, request: Request) -> Response:
        refuse_forgery(request)
        logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Password(APIView):
    @extend_schema(
        operation_id="change_password",
        request=NewPasswordSerializer,
        responses={204: None, 400: ErrorSerializer, 429: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ends every other session and every token of the account."""
        given = NewPasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(
            request._request,
            username=request.user.get_username(),
            password=given.validated_data["old_password"],
        )
        if user is None:
            raise Refused(
                "wrong_password",
                "That is not your password now.",
                field="old_password",
                fix="Type the one you signed in with.",
            )
        accounts.set_password(user=user, password=given.validated_data["new_password"])
        if request.auth is None:
            update_session_auth_hash(request._request, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Keys(APIView):
    @extend_schema(
        operation_id="keep_keys",
        request=KeysSerializer,
        responses={204: None, 400: ErrorSerializer},
    )
    def put(self, request: Request) -> Response:
        """The keys that a person gave to actions; every browser of theirs has them."""
        given = KeysSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        assert request.user.pk is not None
        OwnKeys.objects.update_or_create(user_id=request.user.pk, defaults=given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Reset(APIView):
    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "reset"

    @extend_schema(operation_id="ask_reset", request=ResetSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """The same answer whether or not there is such an account."""
        refuse_forgery(request)
        given = ResetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        accounts.mail_reset_link(given.validated_data["email"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetConfirm(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="reset_password",
        request=ResetConfirmSerializer,
        responses={204: None, 400: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        refuse_forgery(request)
        given = ResetConfirmSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        accounts.reset_password(
            uid=given.validated_data["uid"],
            token=given.validated_data["token"],
            password=given.validated_data["new_password"],
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def refuse_forgery(request: Request) -> None:
    """The CSRF check that DRF makes for signed-in people only: signing in needs it too."""
    if request.auth is None:
        SessionAuthentication().enforce_csrf(request)


def session_of(user: Any) -> dict[str, Any]:
    return {
        "user": person(user) if user.is_authenticated else None,
        "demo": settings.DEMO,
        "demo_accounts": [
            {"username": username, "password": password, "role": role}
            for username, password, role in settings.DEMO_ACCOUNTS
        ],
        "mail": settings.MAIL_CONFIGURED,
        "sso": sign_in_choices(),
    }


def person(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.get_full_name() or user.username,
        "can_create_projects": accounts.may_create_projects(user),
        "is_staff": user.is_staff,
        "keys": kept.keys if (kept := OwnKeys.objects.filter(user=user).first()) else {},
    }
