import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calcinosis_registry.settings")
application = get_asgi_application()

from calcinosis_registry.audit import guards  # noqa: E402  needs the apps loaded
from calcinosis_registry.demo import guard  # noqa: E402
from calcinosis_registry.operations import safe_database  # noqa: E402

guard.refuse()
guards.refuse()
safe_database.refuse()
