"""How the OpenAPI schema, from which the front end's types are generated, names its parts."""

from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import Serializer


class Schema(AutoSchema):
    def get_serializer_name(self, serializer: Serializer, direction: str) -> str:
        """With the class around it: Renew.Input and Skip.Input are RenewInput and SkipInput."""
        parts = type(serializer).__qualname__.split(".")
        return "".join(part.removesuffix("Serializer") for part in parts)
