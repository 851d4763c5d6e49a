"""Settings of the guestbook: what differs between machines comes from the environment that kraft gives.

Without any of it (`python manage.py runserver`) the project runs from this folder with SQLite.
"""

import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"
DEPLOYED = "KRAFT_NAME" in os.environ


def flag(name):
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def words(name, default=""):
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


NAME = os.environ.get("KRAFT_NAME", "guestbook")
ENVIRONMENT = os.environ.get("KRAFT_ENV", "")
RELEASE = os.environ.get("KRAFT_RELEASE", "local")

DEBUG = flag("DEBUG")
# On a node a missing key is an error; the other one protects nothing but a developer's own machine.
SECRET_KEY = os.environ["SECRET_KEY"] if DEPLOYED else os.environ.get("SECRET_KEY", "only-for-this-machine")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", os.environ.get("DOMAIN", "localhost,127.0.0.1,[::1]"))
# nginx says which scheme the visitor used, and drops what a visitor claims about it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guestbook",
    "entries",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "guestbook.urls"
WSGI_APPLICATION = "guestbook.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

# DATABASE_URL, else a file in the project's folder.
if "DATABASE_URL" not in os.environ:
    LOCAL_DIR.mkdir(exist_ok=True)
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{LOCAL_DIR / 'db.sqlite3'}",
        conn_max_age=60,
        conn_health_checks=True,
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# guestbook/static/ holds our files; collectstatic gathers them and those of the admin where nginx serves them.
STATIC_URL = os.environ.get("STATIC_URL", "/static/")
STATIC_ROOT = os.environ.get("STATIC_ROOT") or None
# What a CDN hands out has a hash of its content in its name, so that browsers keep it for ever and old pages find theirs.
if "CDN_HOST" in os.environ:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }

MEDIA_URL = os.environ.get("UPLOADS_URL", "/uploads/")
MEDIA_ROOT = os.environ.get("UPLOADS_PATH", LOCAL_DIR / "uploads")

# Errors go to stderr, which kraft keeps in the site's log; Django's default would mail them without DEBUG.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
