"""Who belongs to a project, with which role."""

from collections import Counter

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.accounts import reset_link_for_member
from annotation.api.errors import ErrorSerializer
from annotation.api.pages import list_of
from annotation.models import Membership
from annotation.models.projects import Role
from annotation.preferences import countable
from annotation.projects import change_role, remove_member


class MemberSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.get_full_name")
    role = serializers.ChoiceField(Role.choices)
    simulated = serializers.BooleanField()
    labels = serializers.SerializerMethodField(help_text="Preferences that count.")

    def get_labels(self, member: Membership) -> int:
        return self.context["labels"][member.user_id]


class RoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(Role.choices)


class ResetLinkSerializer(serializers.Serializer):
    link = serializers.CharField(help_text="Works once, for a day.")


class Members(APIView):
    @extend_schema(operation_id="members", responses=list_of(MemberSerializer))
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Role.MANAGER)
        members = project.memberships.select_related("user").order_by("user__username")
        labels = Counter(
            dict(countable(project).order_by().values_list("labeler").annotate(Count("pk")))
        )
        rows = MemberSerializer(members, many=True, context={"labels": labels})
        return Response({"results": rows.data})


class MemberDetail(APIView):
    @extend_schema(
        operation_id="change_role",
        request=RoleSerializer,
        responses={200: RoleSerializer, 409: ErrorSerializer},
    )
    def patch(self, request: Request, slug: str, id: int) -> Response:
        membership = member_for(request, slug, id)
        given = RoleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        membership = change_role(
            membership=membership, actor=request.user, role=given.validated_data["role"]
        )
        return Response({"role": membership.role})

    @extend_schema(operation_id="remove_member", responses={204: None, 409: ErrorSerializer})
    def delete(self, request: Request, slug: str, id: int) -> Response:
        remove_member(membership=member_for(request, slug, id), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MemberReset(APIView):
    @extend_schema(
        operation_id="make_reset_link",
        request=None,
        responses={200: ResetLinkSerializer, 403: ErrorSerializer},
    )
    def post(self, request: Request, slug: str, id: int) -> Response:
        """A link to hand to a member who forgot the password."""
        membership = member_for(request, slug, id)
        path = reset_link_for_member(membership=membership, actor=request.user)
        return Response({"link": request.build_absolute_uri(path)})


def member_for(request: Request, slug: str, id: int) -> Membership:
    project = project_for(request.user, slug, Role.MANAGER)
    return get_object_or_404(Membership.objects.select_related("user"), project=project, pk=id)
