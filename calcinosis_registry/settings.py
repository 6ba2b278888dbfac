"""One settings file, read from the environment. Unsafe production settings do not start.

REGISTRY_DATA   directory of database, files and keys (default: var/ beside manage.py)
REGISTRY_URL    where the register answers, as https://registry.example.org: links in e-mails, home of passkeys
REGISTRY_DEMO   1: a demo register: second factor off, banner on every page; refused where real patients are
DATABASE_URL    default: SQLite in REGISTRY_DATA
REGISTRY_WITNESS  head of the audit chain and list of erasures, outside the backups (default: REGISTRY_DATA/keys)
SECRET_KEY, ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, EMAIL_URL, DEFAULT_FROM_EMAIL: production
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from calcinosis_registry.operations import logs, safe_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env("REGISTRY_DATA", default=str(BASE_DIR / "var"))).resolve()
DEMO = env.bool("REGISTRY_DEMO", default=False)
DEBUG = env.bool("REGISTRY_DEBUG", default=False)
FILES_DIR = DATA_DIR / "files"
EXPORTS_DIR = DATA_DIR / "exports"
SNAPSHOT_DIR = DATA_DIR / "snapshot"  # made of the database again at any time
# What runs datasets: duckdb in the process, or spark (docs/operations/jobs-and-snapshots.md).
ANALYTICS = env("REGISTRY_ANALYTICS", default="duckdb")
# An export of at most so many patients is made while its page waits; a larger one by the worker (manage.py work).
EXPORT_AT_ONCE = env.int("REGISTRY_EXPORT_AT_ONCE", default=500)
# A report of at most so many patients is made while its page waits; a larger one by the worker too.
REPORT_AT_ONCE = env.int("REGISTRY_REPORT_AT_ONCE", default=5000)
ANALYTICS_MEMORY = env("REGISTRY_ANALYTICS_MEMORY", default="1GB")


KEY_NAMES: list[str] = []


def kept_secret(name: str) -> str:
    """A secret made once and kept beside the data, never in the database; the environment wins."""
    KEY_NAMES.append(name)
    if value := env(name, default=""):
        return value
    path = DATA_DIR / "keys" / name.lower()
    if not path.exists():
        database = DATA_DIR / "registry.sqlite3"
        if not path.parent.exists() and database.exists() and database.stat().st_size:
            raise ImproperlyConfigured(
                f"{path.parent} is gone and the database is not: put the keys back, or their values into the "
                "environment. New ones would change every pseudonym."
            )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Linked when whole: of two workers that start at once, both read the first one's.
        with NamedTemporaryFile("w", dir=path.parent) as fresh, suppress(FileExistsError):
            fresh.write(secrets.token_urlsafe(48))
            fresh.flush()
            os.fsync(fresh.fileno())
            os.link(fresh.name, path)
    if path.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"{path} can be read by others: chmod 600 it.")
    return path.read_text()


SECRET_KEY, *SECRET_KEY_FALLBACKS = kept_secret("SECRET_KEY").split()  # the newest first
PSEUDONYM_KEY = kept_secret("PSEUDONYM_KEY")
AUDIT_KEY = kept_secret("AUDIT_KEY")
# Head of the audit chain and list of erasures: outside the database and outside every backup of it.
WITNESS_DIR = Path(env("REGISTRY_WITNESS", default=str(DATA_DIR / "keys"))).resolve()
SECOND_FACTOR_KEY = kept_secret("SECOND_FACTOR_KEY")
SIGNATURE_KEY = kept_secret("SIGNATURE_KEY")  # a restore needs it too: without it no signature can be checked
DRAFT_KEY = kept_secret("DRAFT_KEY")  # opens what was typed and not saved (sealing.py)

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "calcinosis_registry.admin_site.RegistryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "calcinosis_registry.codebook",
    "calcinosis_registry.audit",
    "calcinosis_registry.accounts",
    "calcinosis_registry.clinics",
    "calcinosis_registry.jobs",
    "calcinosis_registry.quality",
    "calcinosis_registry.records",
    "calcinosis_registry.identity",
    "patients",
    "lesions",
    "calcinosis_registry.cohorts",
    "calcinosis_registry.exports",
    "calcinosis_registry.reports",
    "calcinosis_registry.rights",
    "calcinosis_registry.letters",
    "calcinosis_registry.transfers",
    "calcinosis_registry.operations",
    "calcinosis_registry.demo",
]

MIDDLEWARE = [
    "calcinosis_registry.operations.headers.HeadersMiddleware",
    "calcinosis_registry.operations.logs.RequestLogMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "calcinosis_registry.accounts.middleware.MethodsMiddleware",
    "calcinosis_registry.operations.health.LiveMiddleware",
    "calcinosis_registry.operations.resting.RestingMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "calcinosis_registry.records.middleware.HeldFormMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "calcinosis_registry.accounts.middleware.SecondFactorMiddleware",
    "calcinosis_registry.clinics.middleware.ActorMiddleware",
    "calcinosis_registry.records.middleware.NulMiddleware",
]

ROOT_URLCONF = "calcinosis_registry.urls"
WSGI_APPLICATION = "calcinosis_registry.wsgi.application"
ASGI_APPLICATION = "calcinosis_registry.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "calcinosis_registry.clinics.context_processors.navigation",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# SQLite settings of performance.md: IMMEDIATE because a deferred read-then-write fails at once, FULL because
# an acknowledged save survives a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA secure_delete=ON; "  # what is erased is overwritten
        "PRAGMA mmap_size=268435456; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
    ),
}
(DATA_DIR / "static").mkdir(parents=True, exist_ok=True)  # whitenoise warns of a missing STATIC_ROOT
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'registry.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"].update(
        ENGINE="calcinosis_registry.operations.sqlite_queue",
        OPTIONS=SQLITE_OPTIONS,
        TEST={"NAME": ":memory:"},  # said aloud: tools look for Django's own engine to know it
    )
else:
    DATABASES["default"].update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
    # Statements are planned once a connection: planning was half of what PostgreSQL computed for a page.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 4, "server_side_binding": True, "prepare_threshold": 5,
    } | DATABASES["default"].get("OPTIONS", {})  # fmt: skip
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

# allauth: e-mail and password, no self-registration (accounts/adapter.py), TOTP and recovery codes.
ACCOUNT_ADAPTER = "calcinosis_registry.accounts.adapter.RegistryAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Only failures are counted: a clinic's people share one address at eight o'clock. A known device has its own count
# (accounts/known_devices.py), so wrong passwords typed elsewhere lock nobody out of it.
ACCOUNT_RATE_LIMITS = {
    "login": "",
    "login_failed": "100/10m/ip,10/h/key",
    "login_failed_known_device": "10/10m/key",
    "reset_password": "20/m/ip,5/h/key",
}
PASSWORD_RESET_TIMEOUT = 3600
MFA_ADAPTER = "calcinosis_registry.accounts.adapter.RegistryMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
# A second factor is asked at every sign-in, on every device; a passkey asks for the finger or the PIN, too, and never
# opens an account without its password (docs/decisions/0007).
MFA_TRUST_ENABLED = False
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_FORMS = {
    name: f"calcinosis_registry.accounts.forms.{form}"
    for name, form in (
        ("activate_totp", "ActivateAppForm"),
        ("add_webauthn", "AddPasskeyForm"),
        ("edit_webauthn", "RenamePasskeyForm"),
        ("authenticate_webauthn", "PasskeyForm"),
        ("reauthenticate_webauthn", "PasskeyAgainForm"),
    )
}
# How many reverse proxies stand before us: rate limits and the trail then take the client's address from them.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)

# Rate limits and used codes must count across processes, and none may be pushed out by many others.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "registry_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
    if not DEMO
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_FAILURE_VIEW = "calcinosis_registry.records.views.stale"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Behind TLS in production; plain http only on this machine.
INSECURE_HTTP = env.bool("REGISTRY_INSECURE_HTTP", default=DEMO or DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
if not INSECURE_HTTP:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Links in e-mails and passkeys follow this address, never a request's Host; on this machine the request's will do.
REGISTRY_URL = env("REGISTRY_URL", default="" if INSECURE_HTTP else f"https://{ALLOWED_HOSTS[0]}").rstrip("/")
if not INSECURE_HTTP and (not REGISTRY_URL.startswith("https://") or "*" in REGISTRY_URL or "//." in REGISTRY_URL):
    raise ImproperlyConfigured("Set REGISTRY_URL to where the register answers, as https://registry.example.org.")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

LANGUAGE_CODE = "en"
# The languages we have texts in: Django brings its own texts in many more, and a page in two languages is none.
LANGUAGES = [("en", "English")]
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = ["calcinosis_registry.formats"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "calcinosis_registry" / "static"]
STATIC_ROOT = DATA_DIR / "static"
# Compressed, hashed names in production; plain storage in the demo and in tests (collectstatic takes its time).
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(FILES_DIR)}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEMO or DEBUG

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20  # seconds; people wait for none but an invitation
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="registry@localhost")

# An upload waits beside the store until it was read, never in a temporary directory shared with others.
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "lesions.receiving.CarefulUploadHandler",
]
FILE_UPLOAD_TEMP_DIR = FILES_DIR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
# What a clinic may keep, and how many files an account may add in 24 hours (0: any amount); how many files are read at
# a time on this machine; a command that reads a file before we do ("clamdscan --fdpass --no-summary"): 0 clean, 1 not,
# else no answer.
CLINIC_STORAGE_GB = env.int("REGISTRY_CLINIC_STORAGE_GB", default=50)
FILES_A_DAY = env.int("REGISTRY_FILES_A_DAY", default=5000)
PARSERS = env.int("REGISTRY_PARSERS", default=2)
VIRUS_SCANNER = env("REGISTRY_VIRUS_SCANNER", default="")
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

LOGGING = logs.config(production=not (DEMO or DEBUG))

if reasons := list(safe_settings.unsafe(vars())):
    raise ImproperlyConfigured(" ".join(reasons))
