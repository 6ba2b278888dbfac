import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calcinosis_registry.settings")
application = get_wsgi_application()

from django.db import connections  # noqa: E402  needs the settings

from calcinosis_registry.audit import guards  # noqa: E402  needs the apps loaded
from calcinosis_registry.demo import guard  # noqa: E402
from calcinosis_registry.operations import safe_database  # noqa: E402

guard.refuse()
guards.refuse()
safe_database.refuse()
connections.close_all()  # a worker that is forked from here must not share a connection with its siblings
