"""Statements that run with every answer: Postgres reads and plans them once a connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.types.numeric import Int8


class _Cursor(psycopg.Cursor[Any]):
    """Django's own cursors put the values into the text, so that nothing can be prepared."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "_Cursor":
        return super().execute(query, params, **(options | {"prepare": True}))


def execute(statement: str, values: Mapping[str, Any]) -> CursorWrapper:
    """Run it in the transaction that is open."""
    # Every whole number as the same type, or each size of it would be planned anew.
    sized = {name: Int8(v) if isinstance(v, int) else v for name, v in values.items()}
    connection.ensure_connection()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(_Cursor(connection.connection))  # type: ignore[arg-type]
    cursor.execute(statement, sized)
    return cursor
