"""Invitations: what the join page shows and does, and what a manager makes and revokes."""

from django.contrib.auth import login
from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.accounts import open_account
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import list_of
from annotation.api.session import refuse_forgery
from annotation.invitations import invite, join_project, revoke_invitation, usable_invitation
from annotation.models import Invitation
from annotation.models.projects import Role


class InvitedToSerializer(serializers.Serializer):
    class Project(serializers.Serializer):
        slug = serializers.CharField()
        name = serializers.CharField()

    project = Project()
    role = serializers.ChoiceField(Role.choices)
    expires_at = serializers.DateTimeField()
    seats_left = serializers.IntegerField()


class JoinSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class JoinedSerializer(serializers.Serializer):
    slug = serializers.CharField()


class InvitationSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    role = serializers.ChoiceField(Role.choices)
    seats = serializers.IntegerField()
    used = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    revoked = serializers.BooleanField()
    created_by = serializers.CharField(source="created_by.username", default=None)
    created_at = serializers.DateTimeField()


class NewInvitationSerializer(InvitationSerializer):
    link = serializers.CharField(help_text="Shown this once: only the hash of its key is stored.")


class InviteSerializer(serializers.Serializer):
    role = serializers.ChoiceField(Role.choices, default=Role.LABELER)
    seats = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    days = serializers.IntegerField(min_value=1, max_value=90, default=7)


class Join(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="invitation", responses=InvitedToSerializer)
    def get(self, request: Request, key: str) -> Response:
        """404 alike for a link that is used up, expired, revoked, or never was."""
        invitation = usable_invitation(key)
        return Response(
            {
                "project": {"slug": invitation.project.slug, "name": invitation.project.name},
                "role": invitation.role,
                "expires_at": invitation.expires_at,
                "seats_left": invitation.seats - invitation.used,
            }
        )

    @extend_schema(
        operation_id="join",
        request=JoinSerializer,
        responses={200: JoinedSerializer, 201: JoinedSerializer, 400: ErrorSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Signed in: join. Signed out: make the account, join and sign in."""
        refuse_forgery(request)
        if request.user.is_authenticated:
            membership = join_project(key=key, user=request.user)
            return Response({"slug": membership.project.slug})
        usable_invitation(key)
        given = JoinSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            user = open_account(**given.validated_data)
            membership = join_project(key=key, user=user)
        login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")
        return Response({"slug": membership.project.slug}, status=status.HTTP_201_CREATED)


class Invitations(APIView):
    @extend_schema(operation_id="invitations", responses=list_of(InvitationSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        rows = project.invitations.select_related("created_by")
        return Response({"results": InvitationSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="invite", request=InviteSerializer, responses={201: NewInvitationSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        given = InviteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        invitation, path = invite(project=project, actor=request.user, **given.validated_data)
        body = InvitationSerializer(invitation).data | {"link": request.build_absolute_uri(path)}
        return Response(body, status=status.HTTP_201_CREATED)


class InvitationDetail(APIView):
    @extend_schema(operation_id="revoke_invitation", responses={204: None})
    def delete(self, request: Request, slug: str, id: int) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        invitation = get_object_or_404(Invitation, project=project, pk=id)
        revoke_invitation(invitation=invitation, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
