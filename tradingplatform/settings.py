"""Django's settings, from one typed environment (see environment.py)."""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from tradingplatform.environment import BadEnvironment, read_environment, secret_key

try:
    ENV = read_environment()
    SECRET_KEY = secret_key(ENV)
except BadEnvironment as error:
    raise ImproperlyConfigured(str(error)) from None

VAR = ENV.VAR
DEBUG = ENV.DEBUG
DEFAULT_EXCEPTION_REPORTER_FILTER = "tradingplatform.error_pages.ReporterFilter"
ALLOWED_HOSTS = [host.strip() for host in ENV.ALLOWED_HOSTS.split(",") if host.strip()]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "notifications",
    "bots",
    "risk",
    "execution",
    "tradingplatform",
]

MIDDLEWARE = [
    "tradingplatform.request_lines.RequestLines",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tradingplatform.urls"
ASGI_APPLICATION = "tradingplatform.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],  # before unfold's, some of which they replace
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# SQLite: WAL for readers beside a writer; IMMEDIATE because a deferred lock upgrade fails at once instead of waiting;
# synchronous FULL because an order intent must be on disk before the exchange hears of it.
SQLITE_OPTIONS = {
    "timeout": 5,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;",
}
# PostgreSQL: nobody waits long for the portfolio lock, and a frozen holder is thrown out.
POSTGRES_OPTIONS = {"options": "-c lock_timeout=1s -c idle_in_transaction_session_timeout=3s"}

if ENV.DATABASE_URL:
    DATABASES = {"default": dj_database_url.parse(ENV.DATABASE_URL, conn_max_age=None)}
    DATABASES["default"]["OPTIONS"] = {**DATABASES["default"].get("OPTIONS", {}), **POSTGRES_OPTIONS}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.fspath(VAR / "platform.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": SQLITE_OPTIONS,
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
FORMAT_MODULE_PATH = "tradingplatform.formats"

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# The platform's own
EXCHANGE = ENV.EXCHANGE
SIM_URL = ENV.SIM_URL
ADDRESS = ENV.ADDRESS
REDIS_URL = ENV.REDIS_URL
LIVE_TRADING = ENV.LIVE_TRADING
RETENTION_DAYS = ENV.RETENTION_DAYS
FIELD_KEYS = ENV.FIELD_KEYS
FIELD_KEYS_FILE = VAR / "field_keys"
CLOCK_FILE = VAR / "clock.json"
METRICS_TOKEN = ENV.METRICS_TOKEN
WEBHOOKS = ENV.WEBHOOKS
TELEGRAM_TOKEN = ENV.TELEGRAM_TOKEN
TELEGRAM_OPERATORS = ENV.TELEGRAM_OPERATORS
TELEGRAM_VIEWERS = ENV.TELEGRAM_VIEWERS
TELEGRAM_ALERTS = ENV.TELEGRAM_ALERTS
TELEGRAM_MIN_SEVERITY = ENV.TELEGRAM_MIN_SEVERITY
TELEGRAM_API = ENV.TELEGRAM_API
AI_BASE_URL = ENV.AI_BASE_URL
AI_API_KEY = ENV.AI_API_KEY
AI_MODEL = ENV.AI_MODEL
AI_DEADLINE_S = ENV.AI_DEADLINE_S
AI_DAILY_CALLS = ENV.AI_DAILY_CALLS

# Celery: the broker is a doorbell, the database is the truth (losing, doubling or delaying a message is harmless)
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_DEFAULT_QUEUE = "housekeeping"
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 90
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "socket_timeout": 15,  # without it a hung Redis blocks a send for ever
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 15,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_MAX_TASKS_PER_CHILD = 20_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_DB_REUSE_MAX = 1_000_000_000  # keep the connection: reconnecting with its PRAGMAs costs 1 ms a tick
CELERY_BEAT_SCHEDULER = "tradingplatform.beat:PhaseAnchoredScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

UNFOLD = {
    "SITE_TITLE": "Trading platform",
    "SITE_HEADER": "Trading platform",
    "SITE_URL": None,  # the console is all there is: a link "back to the site" would lead to itself
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")},
    ],
    "STYLES": [lambda request: static("console/console.css")],
    "SHOW_HISTORY": True,
    "SIDEBAR": {"navigation": "tradingplatform.console.sidebar.navigation"},
    "DASHBOARD_CALLBACK": "tradingplatform.console.sidebar.first_page",
}

STRICT_EVENTS = False  # tests say yes: an event that is not as it should be fails them; here it is logged, and written

LOGGING_CONFIG = None  # structlog is set up in apps.py, see logs.py
LOG_LEVEL = ENV.LOG_LEVEL
LOG_LEVELS = ENV.LOG_LEVELS
LOG_FORMAT = ENV.LOG_FORMAT
