"""Every table in Django's admin, for whoever runs the server: superusers, not project managers."""

from annotation.admin import accounts, answers, asked, projects

__all__ = ["accounts", "answers", "asked", "projects"]
