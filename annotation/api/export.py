"""The export button."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from annotation.access import project_for
from annotation.exports import as_jsonl, trl_preferences
from annotation.models.projects import Role


class ExportPreferences(APIView):
    @extend_schema(
        operation_id="export_preferences",
        responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """TRL's preference JSONL: prompt, chosen, rejected, margin."""
        project = project_for(request.user, slug, Role.MANAGER)
        return StreamingHttpResponse(
            as_jsonl(trl_preferences(project)),
            content_type="application/x-ndjson",
            headers={
                "Content-Disposition": f'attachment; filename="{project.slug}-preferences.jsonl"'
            },
        )
