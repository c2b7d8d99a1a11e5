"""Every setting of Vibecheck, from the environment. A bad value stops the start with a sentence.

bin/start writes the embedded defaults (DATABASE_URL, REDIS_URL, SECRET_KEY) into the environment,
so that this file knows one way to be configured only.
"""

import shlex
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from config.env import SettingError, envbool, envint, envlist, envstr
from rewardtrain.demo.accounts import DEMO_ACCOUNTS as ACCOUNTS_OF_DEMO

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(envstr("VAR_DIR", str(BASE_DIR / "var")))
STORE_DIR = Path(envstr("STORE_DIR", str(VAR_DIR / "store")))
RUNS_DIR = STORE_DIR / "runs"
MODEL_ROOTS = [
    STORE_DIR,
    BASE_DIR / "rewardtrain" / "demo",
    *(Path(root) for root in envlist("MODEL_ROOTS")),
]

ARTIFACT_STORE = envstr("ARTIFACT_STORE", "").rstrip("/")
"""Where hosts that share no disk hand each other data and models; empty: nowhere."""
TRAIN_LAUNCHER = shlex.split(envstr("TRAIN_LAUNCHER", ""))
"""What starts reward training in place of Python alone, such as accelerate's launcher."""

DEBUG = envbool("DEBUG", False)
DEMO = envbool("DEMO", False)
DEMO_ACCOUNTS = ACCOUNTS_OF_DEMO if DEMO else []
SECRET_KEY = envstr("SECRET_KEY", "")
if not SECRET_KEY:
    raise SettingError("SECRET_KEY is empty: set it to 50 or more random characters.")
HTTPS = envbool("HTTPS", not DEMO)
SITE_ROOT = envstr("SITE_ROOT", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *envlist("ALLOWED_HOSTS")]
if site_host := urlsplit(SITE_ROOT).hostname:
    ALLOWED_HOSTS.append(site_host)
CSRF_TRUSTED_ORIGINS = [SITE_ROOT, *envlist("CSRF_TRUSTED_ORIGINS")]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "knox",
    "axes",
    "csp",
    "django_celery_beat",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "annotation",
    "rewardtrain",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.admin_csp.admin_csp",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend" / "dist"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url: str) -> dict:
    """Django's DATABASES entry from postgresql://user:password@host:port/name.

    What follows a ? goes to libpq: sslmode=require, or host=/a/socket's/folder.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise SettingError(f"DATABASE_URL starts with {parts.scheme!r}: it must be postgresql://…")
    options: dict = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or parts.hostname or ""
    # Django's cursors prepare nothing; annotation.prepared asks for it.
    options["prepare_threshold"] = 0
    if envbool("DB_POOL", True):
        options["pool"] = {"min_size": 1, "max_size": 8}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def broker(url: str) -> str:
    """Celery's name for a Redis that Django calls unix:///path?db=0."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={dict(parse_qsl(parts.query)).get('db', 0)}"


DATABASES = {"default": database(envstr("DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = envstr("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24
AXES_FAILURE_LIMIT = envint("LOCKOUT_AFTER", 8)
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "annotation.accounts.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
KNOX_TOKEN_MODEL = "annotation.ApiToken"  # noqa: S105
# Its own token table would stand empty beside ours.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_TTL": timedelta(days=envint("TOKEN_DAYS", 90))}
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

SSO_NAME = envstr("SSO_NAME", "Single sign-on")
SSO_ISSUER = envstr("SSO_ISSUER", "")
"""Address of an OpenID Connect provider; empty: people sign in with passwords only."""
if SSO_ISSUER and not envstr("SSO_CLIENT_ID", ""):
    raise SettingError("SSO_CLIENT_ID is empty: give the id that SSO_ISSUER knows Vibecheck by.")
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_ADAPTER = "annotation.sso.InvitedOnly"
SOCIALACCOUNT_EMAIL_VERIFICATION = ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": SSO_NAME,
                "client_id": envstr("SSO_CLIENT_ID", ""),
                "secret": envstr("SSO_CLIENT_SECRET", ""),
                "settings": {"server_url": SSO_ISSUER},
            }
        ]
        if SSO_ISSUER
        else [],
    }
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_SSL_REDIRECT = HTTPS and envbool("HTTPS_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^api/health/$"]
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if envbool("BEHIND_PROXY", False) else None
)
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "knox.auth.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "annotation.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_RATES": {"reset": "10/hour"},
    "EXCEPTION_HANDLER": "annotation.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vibecheck",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ProjectState": "annotation.models.Project.State",
        "ComparisonState": "annotation.models.Comparison.State",
        "MemberRole": "annotation.models.projects.Role",
        "TurnRole": ["system", "user", "assistant"],
        "RunState": "rewardtrain.models.Run.State",
        "RunKind": "rewardtrain.models.Run.Kind",
        "ComparisonKind": "annotation.models.Comparison.Kind",
        "VersionKind": "rewardtrain.models.ModelVersion.Kind",
        "CheckState": "rewardtrain.models.ModelCheck.State",
        "GuardStanding": ["quiet", "warning", "stopped"],
    },
}

EMAIL_HOST = envstr("EMAIL_HOST", "")
EMAIL_PORT = envint("EMAIL_PORT", 587)
EMAIL_HOST_USER = envstr("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = envstr("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = envbool("EMAIL_USE_TLS", True)
DEFAULT_FROM_EMAIL = envstr("DEFAULT_FROM_EMAIL", "vibecheck@localhost")
MAIL_CONFIGURED = bool(EMAIL_HOST)

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [("app", BASE_DIR / "frontend" / "dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

LEASE_SECONDS = envint("LEASE_SECONDS", 600)
LOOP_SECONDS = envint("LOOP_SECONDS", 3)
"""How often beat looks whether a project's circle has something to do next."""
RECONCILE_SECONDS = envint("RECONCILE_SECONDS", 60)
HEARTBEAT_SECONDS = envint("HEARTBEAT_SECONDS", 60)
"""A running run whose heartbeat is older than this is adopted or tried again."""
# A look that no worker took in time is not worth taking later: the next one sees the same.
CELERY_BEAT_SCHEDULE = {
    "look at every project's circle": {
        "task": "rewardtrain.tasks.tick",
        "schedule": LOOP_SECONDS,
        "options": {"expires": LOOP_SECONDS},
    },
    "find lost runs": {
        "task": "rewardtrain.tasks.reconcile",
        "schedule": RECONCILE_SECONDS,
        "options": {"expires": RECONCILE_SECONDS},
    },
}

UNFOLD = {
    "SITE_TITLE": "Vibecheck",
    "SITE_HEADER": "Vibecheck",
    "SITE_SYMBOL": "balance",
    "COLORS": {
        "primary": {
            step: f"oklch({lightness}% {chroma} 275)"  # the front end's accent, lighter and darker
            for step, lightness, chroma in (
                ("50", 97, 0.015),
                ("100", 94, 0.03),
                ("200", 89, 0.06),
                ("300", 81, 0.1),
                ("400", 72, 0.14),
                ("500", 57, 0.17),
                ("600", 49, 0.18),
                ("700", 44, 0.16),
                ("800", 38, 0.13),
                ("900", 32, 0.1),
                ("950", 24, 0.07),
            )
        }
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": envstr("LOG_LEVEL", "WARNING")},
}
